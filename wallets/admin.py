"""Lists and pages of wallets, bank accounts, deposits and withdrawals; freeze and unfreeze."""

from typing import Any
from urllib.parse import urlencode

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse

from flowlet.backoffice.admin import ModelAdmin
from flowlet.backoffice.cells import Amount, Code, Main, When, minute, words
from flowlet.backoffice.filters import AmountSpan, Choice, DateSpan
from flowlet.backoffice.frame import Button
from flowlet.backoffice.lists import Column, View
from flowlet.backoffice.panels import Panel, facts_panel, table_panel
from flowlet.backoffice.people import person_of
from flowlet.backoffice.site import register
from flowlet.backoffice.timeline import Subject, timeline_panel
from flowlet.core.countries import country_name
from flowlet.core.money import Money
from flowlet.identity.queries import active_restrictions
from ledger.admin_parts import holds_panels
from wallets import admin_exchange as _exchange  # noqa: F401 - registers quotes and spreads
from wallets import admin_limits as _limits  # noqa: F401 - registers the limits
from wallets import admin_statements as _statements  # noqa: F401 - registers the statement page
from wallets import admin_states as _states  # noqa: F401 - registers freezing, closing and overdrafts
from wallets import admin_today as _today  # noqa: F401 - registers panels, searches and sentences
from wallets.admin_incoming import active_code, reference_panel, transfer_panels
from wallets.admin_parts import (
    CURRENCIES,
    balances_panel,
    customer_link,
    entries_panel,
    history_panel,
    hold_href,
    monitors_panel,
    movement_badge,
    transaction_cell,
    wallet_badge,
    wallet_link,
)
from wallets.choices import (
    BankAccountStatus,
    FreezeDirection,
    MoneySource,
    MovementStatus,
    WalletStatus,
)
from wallets.models import BalanceMonitor, BankAccount, Deposit, Movement, Wallet, Withdrawal
from wallets.queries import frozen_direction


def _balance(wallet: Wallet) -> Amount:
    balance = wallet.account.balance
    return Amount(Money(balance.posted - balance.held, wallet.currency))


def _overdraft(wallet: Wallet) -> object:
    floor = wallet.account.balance.floor
    if floor is None:
        return "Without end"
    return Amount(Money(-floor, wallet.currency)) if floor else "None"


@register(Wallet)
class WalletAdmin(ModelAdmin):
    """All wallets of all partners."""

    path, title, group, icon, nav_order = "wallets", "Wallets", "Money", "wallet", 20
    summary = "What customers own, one currency each"
    related = ("customer", "partner", "account__balance")
    search_by = ("public_id", "customer__public_id", "customer__name__icontains")
    search_hint = "Owner or wal_ id"
    list_order = ("-created_at", "-id")
    views = (
        View(key="all", title="All"),
        View(key="frozen", title="Frozen", condition=Q(status=WalletStatus.FROZEN)),
        View(key="closed", title="Closed", condition=Q(status=WalletStatus.CLOSED)),
    )
    filters = (
        Choice("currency", "Currency", tuple((code, code) for code in CURRENCIES)),
        Choice("status", "Status", tuple(WalletStatus.choices)),
        DateSpan("created", "Opened", lookup="created_at"),
    )
    columns = (
        Column(title="Owner", cell=lambda w: Main(w.customer.name, w.public_id, mono=True)),
        Column(title="Name", cell=lambda w: w.name, width="m", hide="m"),
        Column(title="Partner", cell=lambda w: w.partner.name, width="m", hide="s"),
        Column(title="Available", cell=_balance, width="l", right=True),
        Column(title="Status", cell=wallet_badge, width="s"),
        Column(
            title="Opened",
            cell=lambda w: When(w.created_at),
            width="m",
            right=True,
            hide="s",
            order="created_at",
        ),
    )
    empty = ("No wallets yet", "Partners open wallets through the API.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return wallets that know whether their balance is watched."""
        watching = BalanceMonitor.objects.filter(wallet=OuterRef("pk"), ended_at=None)
        rows: QuerySet[Any] = (
            super().get_queryset(request).annotate(watched=Exists(watching), code=active_code())
        )
        return rows

    def object_title(self, obj: Any) -> str:
        """Return owner and currency."""
        return f"{obj.customer.name}, {obj.currency}"

    def object_summary(self, obj: Any) -> str:
        """Return name, partner and id."""
        parts = [obj.name or "Wallet", obj.partner.name, obj.public_id]
        return " · ".join(parts)

    def badges(self, obj: Any) -> list[object]:
        """Return the status."""
        return [wallet_badge(obj)]

    def buttons(self, request: HttpRequest, obj: Any) -> list[Button]:
        """Return the way to a statement."""
        if not person_of(request).may("wallets.export_statement"):
            return []
        return [Button(label="Statement…", href=statement_href(obj), icon="file-text")]

    def panels(self, request: HttpRequest, obj: Any) -> list[Panel]:
        """Return balance, open holds, history, restrictions, facts and time line."""
        person = person_of(request)
        may_export = person.may("wallets.export_statement")
        balance = obj.account.balance
        facts: list[tuple[str, object]] = [
            ("Owner", customer_link(obj.customer)),
            ("Partner", obj.partner.name),
            ("Currency", obj.currency),
            ("Purpose", words(obj.purpose)),
            ("Opened", When(obj.created_at)),
            ("Ledger account", Code(obj.account.public_id)),
            ("Account status", words(balance.status)),
        ]
        if obj.status == WalletStatus.FROZEN:
            facts.append(
                ("Frozen by", f"{obj.get_frozen_by_display()}: {words(obj.freeze_reason_code).lower()}")
            )
            facts.append(("Frozen", FreezeDirection(frozen_direction(obj)).label))
        facts.append(("Overdraft allowed", _overdraft(obj)))
        subject = Subject(object_type="wallet", object_id=obj.public_id, customer=obj.customer.public_id)
        return [
            balances_panel(balance, obj),
            *holds_panels(balance, href=hold_href),
            history_panel(obj, sign=balance.sign, href=statement_href(obj) if may_export else ""),
            _restrictions_panel(obj),
            *(monitors_panel(obj) if obj.watched else []),
            facts_panel("Wallet", facts, side=True),
            reference_panel(obj),
            timeline_panel(subject, person, limit=10, side=True),
        ]


def _restrictions_panel(wallet: Wallet) -> Panel:
    rows = list(active_restrictions(customer_id=wallet.customer_id, wallet_ref=wallet.public_id))
    return table_panel(
        "Restrictions in force",
        columns=(
            Column(title="What", cell=lambda r: Main(r.get_kind_display(), words(r.reason_code).lower())),
            Column(
                title="Reach",
                cell=lambda r: "This wallet" if r.wallet_ref else "All of the customer",
                width="m",
            ),
            Column(
                title="By",
                cell=lambda r: f"{r.placed_by}, {r.get_source_display().lower()}",
                width="l",
                hide="s",
            ),
            Column(title="Since", cell=lambda r: minute(r.placed_at), width="m", right=True),
        ),
        rows=rows,
        empty=("No restrictions", "Nothing of the customer's binds this wallet."),
        empty_icon="circle-check",
    )


def statement_href(wallet: Wallet) -> str:
    """Return the address of the statement form for a wallet."""
    return f"{reverse('admin:statements')}?{urlencode({'wallet': wallet.public_id})}"


@register(BankAccount)
class BankAccountAdmin(ModelAdmin):
    """Bank accounts of customers; numbers masked."""

    path, title, group, icon, nav_order = "bank-accounts", "Bank accounts", "Money", "landmark", 50
    summary = "Accounts at the sandbox's built-in bank"
    view_permission = "wallets.view_wallet"
    related = ("customer", "partner")
    detail = False
    search_by = ("public_id", "last_four", "customer__name__icontains")
    search_hint = "Owner, last four or ba_ id"
    list_order = ("-created_at", "-id")
    filters = (
        Choice("currency", "Currency", tuple((code, code) for code in CURRENCIES)),
        Choice("status", "Status", tuple(BankAccountStatus.choices)),
    )
    columns = (
        Column(title="Owner", cell=lambda b: _owner(b.customer, b.public_id)),
        Column(title="Number", cell=lambda b: f"{b.country} •••• {b.last_four}", width="m"),
        Column(title="Bank in", cell=lambda b: country_name(b.country), width="m", hide="m"),
        Column(title="Partner", cell=lambda b: b.partner.name, width="m", hide="s"),
        Column(
            title="Balance", cell=lambda b: Amount(Money(b.balance_minor, b.currency)), width="xl", right=True
        ),
        Column(
            title="Linked",
            cell=lambda b: When(b.created_at),
            width="m",
            right=True,
            hide="s",
            order="created_at",
        ),
    )
    empty = ("No bank accounts yet", "Partners link them through the API.")


def _owner(customer: Any, public_id: str) -> Main:
    link = reverse("admin:identity_customer_change", args=[customer.public_id])
    return Main(customer.name, public_id, mono=True, href=link)


class MovementAdmin(ModelAdmin):
    """What the lists of deposits and withdrawals share."""

    group = "Money"
    related = ("wallet__customer", "bank_account", "partner", "transaction")
    search_by = ("public_id", "wallet__public_id", "wallet__customer__name__icontains")
    list_order = ("-created_at", "-id")
    views = (
        View(key="all", title="All"),
        View(key="waiting", title="Waiting", condition=Q(status=MovementStatus.PENDING)),
        View(key="refused", title="Refused", condition=Q(status=MovementStatus.REFUSED)),
    )
    filters = (
        Choice("source", "Source", tuple(MoneySource.choices)),
        AmountSpan("amount", "Amount", CURRENCIES),
        DateSpan("created", "Created", lookup="created_at"),
    )
    columns = (
        Column(title="Customer", cell=lambda m: Main(m.wallet.customer.name, m.public_id, mono=True)),
        Column(title="Bank account or cash", cell=lambda m: m.counterpart, width="m", hide="m"),
        Column(title="Partner", cell=lambda m: m.partner.name, width="m", hide="s"),
        Column(title="Amount", cell=lambda m: Amount(m.amount), width="l", right=True, order="amount_minor"),
        Column(title="Status", cell=movement_badge, width="s"),
        Column(title="Created", cell=lambda m: When(m.created_at), width="m", right=True, order="created_at"),
    )

    def object_title(self, obj: Any) -> str:
        """Return amount and owner."""
        return f"{obj.amount.format()}, {obj.wallet.customer.name}"

    def badges(self, obj: Any) -> list[object]:
        """Return how it ended."""
        return [movement_badge(obj)]

    def panels(self, request: HttpRequest, obj: Any) -> list[Panel]:
        """Return the entries, or why there are none, and the facts."""
        facts: list[tuple[str, object]] = [
            ("Customer", customer_link(obj.wallet.customer)),
            ("Wallet", wallet_link(obj.wallet)),
            ("Source", obj.get_source_display()),
            ("Bank account", str(obj.bank_account) if obj.bank_account else ""),
            ("Location", obj.location),
            ("Partner", obj.partner.name),
            ("Created", When(obj.created_at)),
            ("Ended", When(obj.ended_at)),
            ("Idempotency key", Code(obj.idempotency_key or "")),
        ]
        if obj.transaction:
            facts.append(("Ledger transaction", transaction_cell(obj.transaction.public_id)))
        subject = Subject(object_type=obj._meta.model_name, object_id=obj.public_id)  # noqa: SLF001 - Django's model API
        return [
            *(
                [refusal_panel(obj)]
                if obj.status == MovementStatus.REFUSED
                else [entries_panel(obj.transaction_id)]
            ),
            timeline_panel(subject, person_of(request)),
            *transfer_panels(obj),
            facts_panel("Details", facts, side=True),
        ]


def refusal_panel(row: Movement) -> Panel:
    """Return why no money moved."""
    facts = [("Reason", words(row.refusal_code)), ("What the partner was told", row.refusal_detail)]
    return facts_panel("Refused: no money moved", facts)


@register(Deposit)
class DepositAdmin(MovementAdmin):
    """Money in."""

    path, title, icon, nav_order = "deposits", "Deposits", "arrow-down-to-line", 30
    summary = "Money from bank accounts into wallets"
    search_hint = "Owner, wal_ or dep_ id"
    empty = ("No deposits yet", "They come in through the API.")


@register(Withdrawal)
class WithdrawalAdmin(MovementAdmin):
    """Money out."""

    path, title, icon, nav_order = "withdrawals", "Withdrawals", "arrow-up-from-line", 40
    summary = "Money from wallets to bank accounts"
    search_hint = "Owner, wal_ or wdr_ id"
    empty = ("No withdrawals yet", "They come in through the API.")
