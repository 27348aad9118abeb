"""Lists and pages of accounts, transactions and postings: for looking, nothing is written here."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from flowlet.backoffice.admin import ModelAdmin
from flowlet.backoffice.cells import Amount, Badge, Code, Day, Link, Main, Masked, Tone, When, words
from flowlet.backoffice.filters import Choice, DateSpan, Text
from flowlet.backoffice.lists import Column, View
from flowlet.backoffice.panels import Panel, facts_panel, table_panel
from flowlet.backoffice.site import register
from flowlet.core.ids import is_id
from flowlet.core.money import Money
from ledger import admin_queue as _queue  # noqa: F401 - registers the list
from ledger import admin_statements as _statements  # noqa: F401 - registers the pages
from ledger import admin_trial_balance as _trial_balance  # noqa: F401 - registers the page
from ledger.admin_parts import Sum, Total, amount_cell, holds_panels, side_cell
from ledger.choices import AccountStatus, ChartKind
from ledger.models.accounts import Account
from ledger.models.transactions import LedgerTransaction, Posting, TransactionText
from ledger.queries.balances import list_postings
from ledger.queries.holds import owed_by
from ledger.queries.transactions import list_transactions

_SHOWN = 25
_TONES: dict[str, Tone] = {
    AccountStatus.OPEN: "ok",
    AccountStatus.NO_OUT: "warn",
    AccountStatus.NO_IN: "warn",
    AccountStatus.FROZEN: "bad",
    AccountStatus.CLOSED: "",
}


def account_title(account: Account) -> str:
    """Return the name people know an account by: its own, its customer's, or its heading's."""
    owner = account.customer.name if account.customer else ""
    return account.name or owner or account.chart_account.name


def account_link(account: Account) -> Link:
    """Return a link to an account's page."""
    return Link(account_title(account), reverse("admin:ledger_account_change", args=[account.public_id]))


def transaction_link(transaction: LedgerTransaction) -> Link:
    """Return a link to a transaction's page, by its id."""
    href = reverse("admin:ledger_ledgertransaction_change", args=[transaction.public_id])
    return Link(transaction.public_id, href, mono=True)


def _status_badge(account: Account) -> Badge:
    return Badge(account.balance.get_status_display(), _TONES[account.balance.status])


def _owner(account: Account) -> str:
    if account.customer:
        return account.customer.name
    return account.partner.name if account.partner else "House"


@register(Account)
class AccountAdmin(ModelAdmin):
    """All accounts with what they hold."""

    path, title, group, icon, nav_order = "ledger/accounts", "Ledger accounts", "Money", "book-open-text", 70
    summary = "Where money is booked, one currency each; balances in the account's natural sign"
    related = ("chart_account", "partner", "customer", "balance")
    list_order = ("-pk",)
    search_by = ("public_id", "customer__public_id", "customer__name__icontains", "name__icontains")
    search_hint = "Owner, name or acc_ id"
    views = (
        View(key="all", title="All", counted=False),
        View(key="house", title="House", condition=Q(customer__isnull=True), counted=False),
        View(key="customers", title="Customers", condition=Q(customer__isnull=False), counted=False),
        View(key="stopped", title="Not open", condition=~Q(balance__status=AccountStatus.OPEN)),
    )
    filters = (
        Choice("kind", "Kind", tuple(ChartKind.choices), lookup="chart_account__kind"),
        Text("currency", "Currency"),
        Choice("status", "Status", tuple(AccountStatus.choices), lookup="balance__status"),
    )
    columns = (
        Column(title="Account", cell=lambda a: Main(account_title(a), a.public_id, mono=True)),
        Column(title="Heading", cell=lambda a: str(a.chart_account), width="l", hide="m"),
        Column(title="Owner", cell=_owner, width="m", hide="s"),
        Column(
            title="Posted", cell=lambda a: amount_cell(a.balance.posted, a.currency), width="m", right=True
        ),
        Column(title="Status", cell=_status_badge, width="s"),
    )
    empty = ("No accounts yet", "Accounts are opened with the first wallet and the first booking.")

    def object_title(self, obj: Any) -> str:
        """Return its name and currency."""
        return f"{account_title(obj)}, {obj.currency}"

    def object_summary(self, obj: Any) -> str:
        """Return heading and id."""
        return f"{obj.chart_account} · {obj.public_id}"

    def badges(self, obj: Any) -> list[object]:
        """Return the status."""
        return [_status_badge(obj)]

    def panels(self, request: HttpRequest, obj: Any) -> list[Panel]:
        """Return the latest postings, the open holds, the balance and what the account is."""
        del request
        balance, owed = obj.balance, owed_by(obj.pk)
        figures: list[tuple[str, object]] = [
            ("Posted", amount_cell(balance.posted, obj.currency)),
            ("Held", amount_cell(balance.held, obj.currency)),
            ("Available", amount_cell(balance.posted - balance.held, obj.currency)),
            *([("Announced", amount_cell(balance.pending_in, obj.currency))] if balance.pending_in else []),
            *([("Owed", Amount(owed))] if owed else []),
            (
                "Lowest allowed",
                "No limit" if balance.floor is None else amount_cell(balance.floor, obj.currency),
            ),
            ("Postings", f"{balance.seq:,}"),
            ("Latest posting", When(balance.latest_posted_at)),
        ]
        facts: list[tuple[str, object]] = [
            ("Heading", str(obj.chart_account)),
            ("Kind", obj.chart_account.get_kind_display()),
            ("Grows by", "Debits" if obj.sign > 0 else "Credits"),
            ("Currency", obj.currency),
            ("Owner", _owner_link(obj)),
            ("Partner", obj.partner.name if obj.partner else ""),
            ("Opened", When(obj.opened_at)),
            ("Id", Code(obj.public_id)),
        ]
        return [
            *holds_panels(balance),
            _postings_panel(obj),
            facts_panel("Balance", figures, side=True),
            facts_panel("Account", facts, side=True),
        ]


def _owner_link(account: Account) -> object:
    if account.customer is None:
        return "The house"
    return Link(
        account.customer.name, reverse("admin:identity_customer_change", args=[account.customer.public_id])
    )


def _postings_panel(account: Account) -> Panel:
    return table_panel(
        "Latest postings",
        columns=(
            Column(title="Transaction", cell=_posting_title),
            Column(title="Change", cell=lambda p: _change(p, account.sign), width="m", right=True),
            Column(
                title="Balance",
                cell=lambda p: amount_cell(p.balance_after, p.currency),
                width="m",
                right=True,
            ),
        ),
        rows=list(list_postings(account.pk)[:_SHOWN]),
        link=lambda p: transaction_link(p.transaction).href,
        empty=("No postings yet", "Nothing was booked on this account."),
        href=f"{reverse('admin:ledger_posting_changelist')}?account={account.public_id}",
    )


def _posting_title(posting: Posting) -> Main:
    return Main(
        words(posting.transaction.kind), f"No. {posting.account_seq:,} · {posting.effective_date:%-d %b %Y}"
    )


def _change(posting: Posting, sign: int) -> Amount:
    """Return what the posting did to the account, in the account's natural sign."""
    return Amount(Money(sign * posting.amount, posting.currency), signed=True)


_SIDES = (
    Column(title="Debit", cell=lambda p: side_cell(p.amount, p.currency, debit=True), width="m", right=True),
    Column(
        title="Credit", cell=lambda p: side_cell(p.amount, p.currency, debit=False), width="m", right=True
    ),
)


def _turnover(transaction: LedgerTransaction) -> object:
    """Return what was moved: the debits of each currency."""
    parts = [
        amount_cell(minor, code).html() for code, minor in sorted(_debits(transaction.postings.all()).items())
    ]
    return format_html("{}" + "<br>{}" * (len(parts) - 1), *parts) if parts else ""


def _debits(legs: Iterable[Posting]) -> dict[str, int]:
    debits: dict[str, int] = defaultdict(int)
    for leg in legs:
        debits[leg.currency] += max(leg.amount, 0)
    return debits


@register(LedgerTransaction)
class TransactionAdmin(ModelAdmin):
    """All transactions, newest first."""

    path, title, group, icon, nav_order = (
        "ledger/transactions",
        "Transactions",
        "Money",
        "receipt",
        71,
    )
    summary = "Every booking with its legs; they sum to zero in each currency and are never changed"
    list_order = ("-pk",)
    search_by = ("public_id",)
    search_hint = "txn_ id or the id of its cause"
    views = (
        View(key="all", title="All", counted=False),
        View(key="reversals", title="Reversals", condition=Q(reverses__isnull=False)),
    )
    filters = (
        Text("kind", "Kind"),
        Text("source", "Source"),
        DateSpan("posted", "Posted", lookup="posted_at"),
    )
    columns = (
        Column(title="Transaction", cell=lambda t: Main(words(t.kind), t.public_id, mono=True)),
        Column(
            title="Cause", cell=lambda t: Main(words(t.source), t.source_key, mono=True), width="l", hide="m"
        ),
        Column(title="Amount", cell=_turnover, width="m", right=True),
        Column(title="Value date", cell=lambda t: Day(t.effective_date), width="s", hide="m"),
        Column(title="Posted", cell=lambda t: When(t.posted_at), width="m", right=True),
    )
    empty = ("No transactions yet", "The first deposit makes the first one.")

    def search_for(self, term: str) -> Q:
        """Find by the transaction's own id or by its cause's: one index each."""
        return Q(public_id=term) if is_id(term, "txn") else Q(source_key=term)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return all transactions with their legs."""
        del request
        return list_transactions()

    def object_title(self, obj: Any) -> str:
        """Return what it was."""
        return words(obj.kind)

    def badges(self, obj: Any) -> list[object]:
        """Return whether the legs sum to zero, and its part in a reversal."""
        sums: dict[str, int] = defaultdict(int)
        for leg in obj.postings.all():
            sums[leg.currency] += leg.amount
        zero = Badge("Sum not zero", "bad") if any(sums.values()) or not sums else Badge("Sum zero", "ok")
        return [zero, *([Badge("Reversal", "info")] if obj.reverses else [])]

    def panels(self, request: HttpRequest, obj: Any) -> list[Panel]:
        """Return the legs with their sums, the cause and the booking."""
        del request
        reversal = obj.reversals.first()
        cause: list[tuple[str, object]] = [
            ("Source", words(obj.source)),
            ("Key", Code(obj.source_key)),
            ("By", Code(obj.actor)),
            *((words(name), Code(str(value))) for name, value in sorted(obj.context.items())),
        ]
        booking: list[tuple[str, object]] = [
            ("Value date", Day(obj.effective_date)),
            ("Posted", When(obj.posted_at)),
            ("Reverses", transaction_link(obj.reverses) if obj.reverses else ""),
            ("Reversed by", transaction_link(reversal) if reversal else ""),
            (
                "Text",
                Masked("kept encrypted" if TransactionText.objects.filter(transaction=obj).exists() else ""),
            ),
            ("Id", Code(obj.public_id)),
        ]
        return [
            _legs_panel(obj),
            facts_panel("Cause", cause, side=True),
            facts_panel("Booking", booking, side=True),
        ]


def _legs_panel(transaction: LedgerTransaction) -> Panel:
    legs = list(transaction.postings.all())
    debits = _debits(legs)
    totals = [
        Total(code, debits[code], debits[code] - sum(leg.amount for leg in legs if leg.currency == code))
        for code in sorted(debits)
    ]
    return table_panel(
        "Legs",
        columns=(
            Column(title="Account", cell=_leg_account),
            Column(title="Debit", cell=lambda r: _leg_side(r, debit=True), width="m", right=True),
            Column(title="Credit", cell=lambda r: _leg_side(r, debit=False), width="m", right=True),
        ),
        rows=[*legs, *totals],
        note="Debits equal credits in each currency"
        if all(total.debit == total.credit for total in totals)
        else "Debits and credits differ",
    )


def _leg_account(row: Posting | Total) -> object:
    if isinstance(row, Total):
        return row.title
    after = Money(row.balance_after, row.currency).format()
    return Main(account_title(row.account), f"{after} after it", href=account_link(row.account).href)


def _leg_side(row: Posting | Total, *, debit: bool) -> object:
    if isinstance(row, Total):
        return Sum(row.debit if debit else row.credit, row.currency, strong=True)
    return side_cell(row.amount, row.currency, debit=debit)


@register(Posting)
class PostingAdmin(ModelAdmin):
    """All postings, newest first; a row leads to its transaction."""

    path, title, group, icon, nav_order = "ledger/postings", "Postings", "Money", "list-checks", 72
    summary = "One line per leg, in the order they were booked"
    related = ("transaction", "account__chart_account", "account__customer")
    list_order = ("-id",)
    detail = False
    filters = (
        Text("account", "Account id", lookup="account__public_id"),
        Text("currency", "Currency"),
        DateSpan("posted", "Posted", lookup="posted_at"),
    )
    columns = (
        Column(
            title="Transaction",
            cell=lambda p: Main(
                words(p.transaction.kind),
                p.transaction.public_id,
                mono=True,
                href=transaction_link(p.transaction).href,
            ),
        ),
        Column(title="Account", cell=lambda p: account_link(p.account), width="m"),
        *_SIDES,
        Column(title="Value date", cell=lambda p: Day(p.effective_date), width="s", hide="s"),
    )
    empty = ("No postings yet", "The first deposit makes the first two.")
