"""Sums, totals and holds, as pages of the ledger and above it show them."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from flowlet.backoffice.cells import Amount, Code, Link, Main, Part, When, words
from flowlet.backoffice.lists import Column
from flowlet.backoffice.panels import Panel, table_panel
from flowlet.core.currencies import exponent
from flowlet.core.money import MINOR_MAX, NBSP, Money
from flowlet.core.registry import Registry
from ledger.choices import HoldDirection
from ledger.models.accounts import Account, Balance
from ledger.models.holds import Hold
from ledger.models.transactions import LedgerTransaction
from ledger.queries.holds import list_open_holds

HOLDS_SHOWN = 25
# The URL name of the page behind an id in a transaction's context, by its name there; higher rooms add theirs.
CAUSE_PAGES: Registry[str] = Registry("ledger.cause_pages")
CAUSE_PAGES.register("journal")("admin:ledger_journaldraft_change")
CAUSE_PAGES.register("corrects")("admin:ledger_ledgertransaction_change")
CAUSE_PAGES.register("position")("admin:ledger_account_change")


def cause_cell(name: str, value: str) -> Part:
    """Return an id of a transaction's context, as a link where somebody has a page for it."""
    if name not in CAUSE_PAGES:
        return Code(value)
    return Link(value, reverse(CAUSE_PAGES.get(name), args=[value]), mono=True)


@dataclass(frozen=True, slots=True)
class Sum(Part):
    """A sum over accounts: it may be larger than Money carries."""

    minor: int
    currency: str
    strong: bool = False

    def html(self) -> SafeString:
        """Return the sum on one line, bold in a total's row."""
        digits = f"{Decimal(self.minor).scaleb(-exponent(self.currency)):,}"
        text = format_html('<span class="money">{}{}<small>{}</small></span>', digits, NBSP, self.currency)
        return format_html("<b>{}</b>", text) if self.strong else text


def amount_cell(minor: int, currency: str) -> Part:
    """Return an amount, or a sum too large to be one."""
    return Amount(Money(minor, currency)) if abs(minor) <= MINOR_MAX else Sum(minor, currency)


def side_cell(amount: int, currency: str, *, debit: bool) -> object:
    """Return the amount if it stands on that side, else nothing."""
    return amount_cell(abs(amount), currency) if (amount > 0) is debit else ""


@dataclass(frozen=True, slots=True)
class Total:
    """The last row of a table with two sides: one currency's sums."""

    currency: str
    debit: int
    credit: int

    @property
    def title(self) -> SafeString:
        """The first cell of the row."""
        return format_html("<b>Sum, {}</b>", self.currency)


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


def holds_panels(balance: Balance, *, href: Callable[[Hold], str] = lambda _hold: "") -> list[Panel]:
    """
    Return a table of what is set aside on an account or announced to it, newest first; none where nothing is.

    `href` gives the page of what a hold is for, or ''. One query, and only where something is held.
    """
    if not balance.held and not balance.pending_in:
        return []
    rows = list(list_open_holds([balance.pk])[:HOLDS_SHOWN])

    def cause(hold: Hold) -> Main:
        announced = " (announced)" if hold.direction == HoldDirection.IN else ""
        return Main(f"{words(hold.source)}{announced}", hold.source_key, mono=True, href=href(hold))

    panel = table_panel(
        "Open holds",
        columns=(
            Column(title="For", cell=cause),
            Column(title="Since", cell=lambda h: When(h.placed_at), width="m", hide="s"),
            Column(title="Until", cell=lambda h: When(h.expires_at) if h.expires_at else "No end", width="m"),
            Column(
                title="Held",
                cell=lambda h: amount_cell(h.state.open_minor, h.currency),
                width="m",
                right=True,
            ),
        ),
        rows=rows,
        note=f"The newest {HOLDS_SHOWN}" if len(rows) == HOLDS_SHOWN else "",
    )
    return [panel]
