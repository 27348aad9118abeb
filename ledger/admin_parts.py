"""Sums and totals that the ledger's pages share."""

from dataclasses import dataclass
from decimal import Decimal

from django.utils.html import format_html
from django.utils.safestring import SafeString

from flowlet.backoffice.cells import Amount, Part
from flowlet.core.currencies import exponent
from flowlet.core.money import MINOR_MAX, NBSP, Money


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
