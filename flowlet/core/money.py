"""Money: an integer count of minor units and its ISO 4217 currency. Floats never come near it."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation, localcontext
from typing import Self

from flowlet.core.currencies import exponent
from flowlet.core.errors import AppError

MINOR_MAX = 10**15
NBSP = "\N{NO-BREAK SPACE}"


class CurrencyMismatch(AppError):
    """Two amounts of different currencies met."""

    code = "currency_mismatch"
    title = "Currencies differ"
    message = "The amount is in {given}, but {expected} is needed here."

    def __init__(self, *, expected: str, given: str) -> None:
        super().__init__(expected=expected, given=given)


class InvalidAmount(AppError):
    """The text is no amount of this currency, or the amount is out of range."""

    code = "invalid_amount"
    http_status = 400
    title = "Invalid amount"
    message = "{reason}"

    def __init__(self, *, reason: str) -> None:
        super().__init__(reason=reason)


def allocate(minor: int, weights: Sequence[int]) -> list[int]:
    """
    Split a count of minor units, signed and of any size, by weight and largest remainder: the parts sum to the whole.

    Equal remainders go to the earlier part. `Money.allocate` is the same for amounts with their currency.

    :raises ValueError: if a weight is negative or all are zero
    """
    total = sum(weights)
    if total <= 0 or min(weights) < 0:
        raise ValueError("weights must not be negative, and not all zero")
    size, sign = abs(minor), -1 if minor < 0 else 1
    shares = [divmod(size * weight, total) for weight in weights]
    missing = size - sum(whole for whole, _ in shares)
    by_remainder = sorted(range(len(shares)), key=lambda index: (-shares[index][1], index))
    lucky = set(by_remainder[:missing])
    return [sign * (whole + (index in lucky)) for index, (whole, _) in enumerate(shares)]


@dataclass(frozen=True, slots=True)
class Money:
    """
    An amount in minor units, signed, at most 10^15 either way.

    :raises InvalidAmount: if `minor` is not a plain integer or out of range
    :raises UnknownCurrency: if the currency is not in ISO 4217
    """

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.minor) is not int:
            raise InvalidAmount(reason="An amount is a whole number of minor units.")
        if not -MINOR_MAX <= self.minor <= MINOR_MAX:
            raise InvalidAmount(reason="The amount is too large.")
        exponent(self.currency)

    @classmethod
    def parse(cls, text: str, currency: str) -> Self:
        """
        Read a decimal text such as `-1250.5` exactly.

        :raises InvalidAmount: if it is no number or has more digits than the currency
        """
        digits = exponent(currency)
        try:
            with localcontext(prec=40):
                scaled = Decimal(text).scaleb(digits) if text.isascii() else Decimal("NaN")
                if not scaled.is_finite() or scaled != scaled.to_integral_value():
                    raise InvalidAmount(reason=f"{currency} has {digits} digits after the point.")
        except InvalidOperation:
            raise InvalidAmount(reason="This is not a number.") from None
        return cls(int(scaled), currency)

    def decimal(self) -> Decimal:
        """Return the amount in major units, exact, with the currency's own digits."""
        return Decimal(self.minor).scaleb(-exponent(self.currency))

    def format(self) -> str:
        """Return text for people: `-1,250.00 EUR`, with a no-break space."""
        return f"{self.decimal():,}{NBSP}{self.currency}"

    def allocate(self, weights: Sequence[int]) -> list[Self]:
        """
        Split into parts by weight, by largest remainder, so that the parts sum to the whole.

        Equal remainders go to the earlier part. Works alike for negative amounts.

        :raises ValueError: if a weight is negative or all are zero
        """
        cls = type(self)
        return [cls(part, self.currency) for part in allocate(self.minor, weights)]

    def _same(self, other: "Money") -> int:
        if other.currency != self.currency:
            raise CurrencyMismatch(expected=self.currency, given=other.currency)
        return other.minor

    def __add__(self, other: "Money") -> Self:
        return type(self)(self.minor + self._same(other), self.currency)

    def __sub__(self, other: "Money") -> Self:
        return type(self)(self.minor - self._same(other), self.currency)

    def __neg__(self) -> Self:
        return type(self)(-self.minor, self.currency)

    def __mul__(self, times: int) -> Self:
        if type(times) is not int:
            return NotImplemented
        return type(self)(self.minor * times, self.currency)

    def __lt__(self, other: "Money") -> bool:
        return self.minor < self._same(other)

    def __le__(self, other: "Money") -> bool:
        return self.minor <= self._same(other)

    def __gt__(self, other: "Money") -> bool:
        return self.minor > self._same(other)

    def __ge__(self, other: "Money") -> bool:
        return self.minor >= self._same(other)

    def __bool__(self) -> bool:
        return self.minor != 0

    def __str__(self) -> str:
        return self.format()
