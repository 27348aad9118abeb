"""Stripe's smallest units, which are not ISO 4217's for every currency. Source: Stripe's documentation, "Currencies"."""

from typing import ClassVar

from flowlet.core.currencies import EXPONENTS
from flowlet.core.errors import AppError
from flowlet.core.money import Money

_ZERO_DECIMAL = frozenset(
    ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"]
)
_THREE_DECIMAL = frozenset(["BHD", "JOD", "KWD", "OMR", "TND"])
# Whole units only, yet counted in hundredths.
_WHOLE = frozenset(["ISK", "UGX"])
_WHOLE_PAYOUTS = frozenset(["HUF", "TWD"])
_STEP = 10
_HUNDRED = 100


class UnsupportedAmount(AppError):
    """Stripe cannot carry this amount in this currency."""

    code: ClassVar[str] = "amount_not_supported"
    message: ClassVar[str] = "This amount cannot be paid over this rail in {currency}."


def to_stripe(amount: Money) -> tuple[int, str]:
    """
    Return an amount as Stripe counts it, and the currency in lower case.

    :raises UnsupportedAmount: for a currency outside the table, or a part that Stripe cannot express
    """
    code = amount.currency
    exponent = EXPONENTS.get(code)
    if exponent is None:
        raise UnsupportedAmount(currency=code)
    value = amount.minor
    if code in _ZERO_DECIMAL:
        value = _whole(value, 10**exponent, code)
    elif code in _WHOLE:
        value = _whole(value, 10**exponent, code) * _HUNDRED
    elif code in _THREE_DECIMAL:
        _whole(value, _STEP, code)
    elif exponent != 2:  # noqa: PLR2004 - Stripe's rule for all others
        raise UnsupportedAmount(currency=code)
    return value, code.lower()


def to_stripe_payout(amount: Money) -> tuple[int, str]:
    """
    Return an amount as `to_stripe` does; some currencies are paid out in whole units only.

    :raises UnsupportedAmount: as `to_stripe`, and for a part of a unit in those currencies
    """
    units, currency = to_stripe(amount)
    if amount.currency in _WHOLE_PAYOUTS:
        _whole(units, _HUNDRED, amount.currency)
    return units, currency


def from_stripe(value: int, currency: str) -> Money:
    """
    Return Stripe's amount as money.

    :raises UnsupportedAmount: for a currency outside the table
    """
    code = currency.upper()
    exponent = EXPONENTS.get(code)
    if exponent is None:
        raise UnsupportedAmount(currency=code)
    if code in _ZERO_DECIMAL:
        return Money(value * 10**exponent, code)
    if code in _WHOLE:
        return Money(_whole(value, _HUNDRED, code) * 10**exponent, code)
    return Money(value, code)


def _whole(value: int, divisor: int, code: str) -> int:
    whole, rest = divmod(value, divisor)
    if rest:
        raise UnsupportedAmount(currency=code)
    return whole
