"""Looking rates up, as they were at a day and as we knew them then, and sums in the book's base currency."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction

from django.conf import settings
from django.db.models import Q

from flowlet.core.currencies import exponent
from flowlet.core.money import allocate
from ledger.choices import RateKind
from ledger.errors import RateMissing
from ledger.models.currencies import FxRate
from ledger.rates import Rate

# A closing rate of a month that ends on a weekend or a holiday is that of the working day before it.
CLOSING_DAYS_MAX = 5


def base_currency() -> str:
    """Return the currency in which the books are summed up."""
    return str(settings.FLOWLET_BASE_CURRENCY)


def rate_at(
    base: str,
    quote: str,
    day: date,
    kind: str = RateKind.CLOSING,
    *,
    known_at: datetime | None = None,
    days_max: int | None = CLOSING_DAYS_MAX,
) -> Rate:
    """
    Return the latest rate until the end of a day (UTC), not older than `days_max` days before that; None: any age.

    `known_at` leaves out what was recorded later: the answer for a closed day stays the same for ever. The rate the
    other way round, and one through the base currency, do as well; all are exact.

    :raises RateMissing: if there is none; names the pair
    :raises UnknownCurrency: if a code is not in ISO 4217
    """
    end = datetime.combine(day + timedelta(days=1), time(), UTC)
    since = None if days_max is None else end - timedelta(days=days_max + 1)
    found = _find(base, quote, kind, before=end, since=since, known_at=known_at)
    if found is None:
        raise RateMissing(base=base, quote=quote, kind=kind, day=day)
    return found


def rate_now(base: str, quote: str, *, now: datetime) -> Rate:
    """
    Return the mid rate to quote from now; FX_RATE_HOURS_MAX says how old it may be.

    :raises RateMissing: if there is none, or only an older one
    :raises UnknownCurrency: if a code is not in ISO 4217
    """
    hours = settings.FX_RATE_HOURS_MAX
    since = now - timedelta(hours=hours) if hours else None
    found = _find(base, quote, RateKind.MID, before=now + timedelta(microseconds=1), since=since)
    if found is None:
        raise RateMissing(base=base, quote=quote, kind=RateKind.MID)
    return found


def to_base(minors: Sequence[int], rate: Rate) -> list[int]:
    """
    Convert the lines of one currency's trial balance (minor units, debit > 0) so that they still sum to zero.

    Each side is converted as a whole and split over its lines by largest remainder: lines that sum to zero before do
    so after it, and no line is off by a unit or more. Lines of zero stay zero.
    """
    sides = zip(_side(minors, 1, rate), _side(minors, -1, rate), strict=True)
    return [debit - credit for debit, credit in sides]


def _side(minors: Sequence[int], sign: int, rate: Rate) -> list[int]:
    weights = [max(sign * minor, 0) for minor in minors]
    total = sum(weights)
    return allocate(rate.convert_minor(total), weights) if total else [0] * len(weights)


def _find(
    base: str,
    quote: str,
    kind: str,
    *,
    before: datetime,
    since: datetime | None,
    known_at: datetime | None = None,
) -> Rate | None:
    exponent(base)
    exponent(quote)
    if base == quote:
        return Rate(base, quote, kind, Fraction(1), "same currency", before)
    home = base_currency()
    latest = _latest({base, quote, home}, kind, before=before, since=since, known_at=known_at)
    if (straight := _either_way(latest, base, quote)) is not None:
        return straight
    first, second = _either_way(latest, base, home), _either_way(latest, home, quote)
    return first.then(second) if first and second else None


def _latest(
    currencies: set[str], kind: str, *, before: datetime, since: datetime | None, known_at: datetime | None
) -> dict[tuple[str, str], Rate]:
    """Return the latest rate of each pair among these currencies, in one query."""
    wanted = Q(base__in=currencies, quote__in=currencies, kind=kind, valid_at__lt=before)
    if since is not None:
        wanted &= Q(valid_at__gte=since)
    if known_at is not None:
        wanted &= Q(recorded_at__lte=known_at)
    rows = FxRate.objects.filter(wanted).order_by("base", "quote", "-valid_at", "-id")
    return {
        (row.base, row.quote): Rate(
            row.base, row.quote, row.kind, Fraction(row.rate), row.source, row.valid_at
        )
        for row in rows.distinct("base", "quote")
    }


def _either_way(latest: dict[tuple[str, str], Rate], base: str, quote: str) -> Rate | None:
    """Return the newer of the rate and its opposite; the rate itself if both are of one instant."""
    rate, opposite = latest.get((base, quote)), latest.get((quote, base))
    if opposite is not None and (rate is None or opposite.valid_at > rate.valid_at):
        return opposite.inverted()
    return rate
