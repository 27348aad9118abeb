"""
Rates into the reporting currency, US dollars, for thresholds only: never for booking or for a customer.

The ledger keeps market rates, from files and from people; these are not those. They are round planning rates of the
house, fixed and dated, so that a movement counts the same whenever it is looked at again. A currency or a day that they
do not cover stays UNPRICED, which every run counts and shows.
"""

from dataclasses import dataclass
from datetime import date

REPORTING_CURRENCY = "USD"
SOURCE = "Planning rates of the house, 1 January 2025 (rounded, not market quotes)"


@dataclass(frozen=True, slots=True)
class Rate:
    """Millionths of a US dollar for one unit (not minor unit) of a currency, from a day on."""

    currency: str
    usd_millionths: int
    from_date: date
    code: str


_FROM, _CODE = date(2025, 1, 1), "PLAN-2025-01"

RATES: tuple[Rate, ...] = tuple(
    Rate(currency, millionths, _FROM, _CODE)
    for currency, millionths in (
        ("USD", 1_000_000),
        ("EUR", 1_080_000),
        ("GBP", 1_270_000),
        ("CHF", 1_130_000),
        ("JPY", 6_700),
        ("KWD", 3_250_000),
        ("KES", 7_700),
        ("SEK", 95_000),
        ("NOK", 92_000),
        ("DKK", 145_000),
        ("PLN", 250_000),
        ("CAD", 720_000),
        ("AUD", 650_000),
        ("SGD", 740_000),
        ("INR", 11_800),
        ("BRL", 180_000),
        ("MXN", 50_000),
        ("ZAR", 54_000),
        ("AED", 272_000),
        ("NGN", 650),
    )
)
