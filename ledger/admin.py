"""Lists and pages of accounts, transactions and postings: for looking, nothing is written here."""

from typing import Any

from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse

from flowlet.backoffice.admin import ModelAdmin
from flowlet.backoffice.cells import Amount, Badge, Code, Day, Link, Main, Tone, When, words
from flowlet.backoffice.filters import Choice, DateSpan, Text
from flowlet.backoffice.lists import Column, View
from flowlet.backoffice.panels import Panel, facts_panel, table_panel
from flowlet.backoffice.site import register
from flowlet.backoffice.timeline import say
from flowlet.core.money import Money
from ledger import admin_bank as _bank  # noqa: F401 - registers the pages of bank files
from ledger import admin_books as _books  # noqa: F401 - registers its pages
from ledger import admin_breaks as _breaks  # noqa: F401 - registers its pages
from ledger import admin_currencies as _currencies  # noqa: F401 - registers rates, deals, positions
from ledger import admin_journals as _journals  # noqa: F401 - registers its pages
from ledger import admin_matches as _matches  # noqa: F401 - registers its pages
from ledger import admin_matching_today as _matching_today  # noqa: F401 - fills Today
from ledger import admin_periods as _periods  # noqa: F401 - registers its pages
from ledger import admin_queue as _queue  # noqa: F401 - registers the list
from ledger import admin_safeguarding as _safeguarding  # noqa: F401 - registers its pages
from ledger import admin_statements as _statements  # noqa: F401 - registers the pages
from ledger import admin_statements_today as _statements_today  # noqa: F401 - fills Today
from ledger import admin_transactions as _transactions  # noqa: F401 - registers its pages
from ledger import admin_trial_balance as _trial_balance  # noqa: F401 - registers the page
from ledger import admin_workbench as _workbench  # noqa: F401 - registers the page
from ledger import admin_write_off_rules as _write_off_rules  # noqa: F401 - registers its page
from ledger import metrics as _metrics  # noqa: F401 - registers what operators watch
from ledger.admin_parts import (
    account_link,
    account_title,
    amount_cell,
    holds_panels,
    side_cell,
    transaction_link,
)
from ledger.admin_seals import as_of_panel
from ledger.choices import AccountStatus, ChartKind
from ledger.models.accounts import Account
from ledger.models.transactions import Posting
from ledger.queries.balances import list_postings

_SHOWN = 25
_TONES: dict[str, Tone] = {
    AccountStatus.OPEN: "ok",
    AccountStatus.NO_OUT: "warn",
    AccountStatus.NO_IN: "warn",
    AccountStatus.FROZEN: "bad",
    AccountStatus.CLOSED: "",
}


def _status_badge(account: Account) -> Badge:
    return Badge(account.balance.get_status_display(), _TONES[account.balance.status])


def _owner(account: Account) -> str:
    if account.customer:
        return account.customer.name
    return account.partner.name if account.partner else "House"


@register(Account)
class AccountAdmin(ModelAdmin):
    """All accounts with what they hold."""

    path, title, group, icon, nav_order = "ledger/accounts", "Ledger accounts", "Books", "book-open-text", 70
    summary = "Where money is booked, one currency each; balances in the account's natural sign"
    related = ("chart_account", "partner", "customer", "balance", "owing__receivable__balance")
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
        Text("heading", "Number in the chart", lookup="chart_account__number"),
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
        """Return the latest postings, the open holds, the balance, now or as of a day, and what the account is."""
        # Read with the account: only accounts that have owed something have the row.
        balance, owing = obj.balance, getattr(obj, "owing", None)
        figures: list[tuple[str, object]] = [
            ("Posted", amount_cell(balance.posted, obj.currency)),
            ("Held", amount_cell(balance.held, obj.currency)),
            ("Available", amount_cell(balance.posted - balance.held, obj.currency)),
            *([("Announced", amount_cell(balance.pending_in, obj.currency))] if balance.pending_in else []),
            *([("Owed", amount_cell(owing.receivable.balance.posted, obj.currency))] if owing else []),
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
            as_of_panel(obj, request.GET),
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


@register(Posting)
class PostingAdmin(ModelAdmin):
    """All postings, newest first; a row leads to its transaction."""

    path, title, group, icon, nav_order = "ledger/postings", "Postings", "Books", "list-checks", 72
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
        Column(title="Value date", cell=lambda p: Day(p.effective_date), width="m", hide="s"),
    )
    empty = ("No postings yet", "The first deposit makes the first two.")


say("ledger_account.open", "Ledger account opened", "landmark")
say("ledger_account.set_status", "Status of the ledger account changed", "landmark")
say("ledger_transaction.reverse", "Booking reversed", "history")
say("ledger_account.shard", "Shards of the account opened", "landmark")
say("ledger_key.install", "Key of the seals installed", "key-round")
say("ledger.verify", "Check of the ledger asked for", "shield-check")
say("ledger_transaction.erase_text", "Text of a booking erased", "file-text")
say("books.export", "Books exported", "download")
say("trial_balance.export", "Trial balance exported", "download")
say("queued_posting.retry", "Waiting posting tried again", "refresh-cw")
