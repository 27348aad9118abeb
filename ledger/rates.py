"""Exchange rates as exact fractions: no rounded rate is ever inverted or chained, only amounts are rounded, once."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from flowlet.core.currencies import exponent
from flowlet.core.money import InvalidAmount, Money

BASIS_POINTS = 10_000
PLACES = 12  # what the columns of rates keep after the point


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """
    What one exchange moves: all of `sell` leaves the seller, `spread` of it is income, `buy` comes back.

    `rate` is what was agreed: units bought for one unit sold, the spread off; `mid` is the rate before it.
    """

    sell: Money
    buy: Money
    spread: Money
    mid: Decimal
    rate: Decimal

    @property
    def into_position(self) -> Money:
        """What comes into the house's position of the sold currency: `sell` less `spread`."""
        return self.sell - self.spread


@dataclass(frozen=True, slots=True)
class Rate:
    """
    How many whole units of `quote` one unit of `base` is worth, exact.

    `source` and `valid_at` are those of the rate it rests on; of two, both sources and the earlier instant.
    """

    base: str
    quote: str
    kind: str
    value: Fraction
    source: str
    valid_at: datetime

    @property
    def decimal(self) -> Decimal:
        """The value with twelve digits after the point, for showing and keeping."""
        return as_decimal(self.value)

    def convert(self, amount: Money) -> Money:
        """Return an amount of `base` in `quote`, rounded half to even."""
        return Money(self.convert_minor(amount.minor), self.quote)

    def convert_minor(self, minor: int) -> int:
        """Return minor units of `base` as minor units of `quote`, rounded half to even; sums of any size."""
        return exchanged(minor, self.value, self.base, self.quote)

    def inverted(self) -> "Rate":
        """Return the rate the other way round; exact, because nothing was rounded."""
        return Rate(self.quote, self.base, self.kind, 1 / self.value, self.source, self.valid_at)

    def then(self, other: "Rate") -> "Rate":
        """Return the rate from our `base` to the other's `quote`."""
        source = self.source if self.source == other.source else f"{self.source}, {other.source}"
        earlier = min(self.valid_at, other.valid_at)
        return Rate(self.base, other.quote, self.kind, self.value * other.value, source, earlier)


def as_decimal(value: Fraction) -> Decimal:
    """Return a fraction with twelve digits after the point, rounded half to even."""
    return Decimal(round(value * 10**PLACES)).scaleb(-PLACES)


def plain(rate: Decimal) -> str:
    """Return a rate without the zeros at its end: `1.089`."""
    text = f"{rate:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def exchanged(minor: int, rate: Fraction | Decimal, sold: str, bought: str) -> int:
    """
    Return what minor units of `sold` buy in minor units of `bought`: one multiplication, rounded half to even.

    The exponents of the two currencies are taken into account: 1 JPY (no digits) at 0.006 is 0.01 EUR, 1 minor unit.
    """
    # round() of a Fraction is half to even, and exact whatever its size.
    return round(minor * Fraction(rate) * Fraction(10) ** (exponent(bought) - exponent(sold)))


def needed(minor: int, rate: Fraction | Decimal, sold: str, bought: str) -> int:
    """Return what must be sold, in minor units, for minor units of `bought`: one division, rounded half to even."""
    return round(minor / Fraction(rate) * Fraction(10) ** (exponent(sold) - exponent(bought)))


def agreed_terms(amount: Money, *, sold: str, bought: str, mid: Fraction, spread_bp: int) -> Terms:
    """
    Return what an exchange moves: `amount` is in `sold` or in `bought`, the other side follows from the rate.

    The rate is the mid rate less the spread (basis points), rounded once to twelve digits; the amount is that rate
    times what is sold, or what is bought divided by it, rounded half to even. The spread's share of what is sold is
    split off without losing a unit.

    :raises InvalidAmount: if the amount is not above zero, or so small (or large) that a side cannot be stored
    """
    rate = as_decimal(mid * (BASIS_POINTS - spread_bp) / BASIS_POINTS)
    if amount.minor <= 0:
        raise InvalidAmount(reason="The amount must be greater than zero.")
    if rate <= 0:
        raise InvalidAmount(reason="These two currencies lie too far apart to be exchanged.")
    if amount.currency == sold:
        sell, buy = amount, Money(exchanged(amount.minor, rate, sold, bought), bought)
    else:
        sell, buy = Money(needed(amount.minor, rate, sold, bought), sold), amount
    if not sell or not buy:
        raise InvalidAmount(reason="The amount is too small to be exchanged.")
    spread, _ = sell.allocate([spread_bp, BASIS_POINTS - spread_bp])
    return Terms(sell=sell, buy=buy, spread=spread, mid=as_decimal(mid), rate=rate)


@dataclass(frozen=True, slots=True)
class Holding:
    """A position (minor units, debit > 0) and its book cost in minor units of base currency, signed alike."""

    position: int = 0
    cost: int = 0

    def moved(self, quantity: int, value: int) -> tuple["Holding", int]:
        """
        Return the holding after `quantity` worth `value` was added, and the result: a gain is positive.

        What comes nearer to zero leaves at the average cost so far; what goes beyond zero enters at its own value.
        """
        if self.position == 0 or (self.position > 0) == (quantity > 0):
            return Holding(self.position + quantity, self.cost + value), 0
        closed = min(abs(quantity), abs(self.position))
        leaving = round(Fraction(self.cost * closed, abs(self.position)))
        entering = value - round(Fraction(value * closed, abs(quantity)))
        after = Holding(self.position + quantity, self.cost - leaving + entering)
        return after, value - (after.cost - self.cost)
