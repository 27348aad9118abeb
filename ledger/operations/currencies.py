"""Recording exchange rates, and deals with the transactions that move them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation

from django.db import IntegrityError, transaction

from flowlet.audit import trail
from flowlet.core.currencies import exponent
from ledger.choices import RateKind
from ledger.errors import InvalidRate, RateExists
from ledger.models.currencies import FxRate
from ledger.rates import PLACES

_DIGITS_MAX = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRate:
    """A rate to be recorded: one unit of `base` is `rate` units of `quote` at `valid_at`, says `source`."""

    base: str
    quote: str
    kind: str
    source: str
    rate: Decimal
    valid_at: datetime

    @property
    def key(self) -> tuple[str, str, str, str, datetime]:
        """What there is one rate of."""
        return self.base, self.quote, self.kind, self.source, self.valid_at


def read_rate(text: str) -> Decimal:
    """
    Read a rate such as `1.0891` exactly.

    :raises InvalidRate: if it is no number above zero with at most 12 digits on either side of the point
    """
    try:
        rate = Decimal(text) if text.isascii() else Decimal("NaN")
    except InvalidOperation:
        rate = Decimal("NaN")
    return check_rate(rate)


def check_rate(rate: Decimal) -> Decimal:
    """
    Return a rate that can be kept without rounding.

    :raises InvalidRate: if it is not above zero, or has more than 12 digits on either side of the point
    """
    if not rate.is_finite() or rate <= 0:
        raise InvalidRate(reason="A rate is a number above zero, such as 1.0891.")
    sign_digits = rate.normalize().as_tuple()
    places = max(0, -int(sign_digits.exponent))
    if places > PLACES or rate >= 10 ** (_DIGITS_MAX - PLACES):
        raise InvalidRate(reason=f"A rate has at most {PLACES} digits on either side of the point.")
    return rate


@transaction.atomic
def record_rate(
    *, base: str, quote: str, kind: str, source: str, rate: Decimal, valid_at: datetime, now: datetime
) -> FxRate:
    """
    Record what one unit of `base` is worth in units of `quote`; for ever, a later one corrects it.

    The same rate again answers what is there.

    :raises UnknownCurrency: if a code is not in ISO 4217
    :raises InvalidRate: if the rate is not above zero or too long, the currencies are one, the kind is unknown, the
        source is empty or too long, or the instant lies in the future
    :raises RateExists: if the same source said something else for the same instant
    """
    new = NewRate(base=base, quote=quote, kind=kind, source=source, rate=rate, valid_at=valid_at)
    check_new(new, now)
    actor = trail.current_actor()
    row = FxRate(
        base=base,
        quote=quote,
        kind=kind,
        source=source,
        rate=rate,
        valid_at=valid_at,
        actor=actor.text,
        recorded_at=now,
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        diagnosis = getattr(error.__cause__, "diag", None)
        if getattr(diagnosis, "constraint_name", "") != "rate_once":
            raise
        known = FxRate.objects.get(base=base, quote=quote, kind=kind, source=source, valid_at=valid_at)
        if known.rate != rate:
            raise RateExists(base=base, quote=quote, kind=kind, source=source) from error
        return known
    trail.record(
        action="exchange_rate.record",
        object_type="exchange_rate",
        object_id=row.public_id,
        changes={"rate": [None, str(rate)], "pair": [None, f"{base}/{quote}"], "kind": [None, kind]},
    )
    return row


@transaction.atomic
def record_rates(*, rates: Sequence[NewRate], now: datetime) -> int:
    """
    Record many rates, all or none, and return how many of them were new; errors as for `record_rate`.

    One record in the trail stands for them all.
    """
    for new in rates:
        check_new(new, now)
    actor = trail.current_actor()
    made = FxRate.objects.bulk_create(
        [
            FxRate(
                base=new.base,
                quote=new.quote,
                kind=new.kind,
                source=new.source,
                rate=new.rate,
                valid_at=new.valid_at,
                actor=actor.text,
                recorded_at=now,
            )
            for new in rates
        ],
        ignore_conflicts=True,
    )
    fresh = _compare(rates, {row.public_id for row in made})
    if fresh:
        trail.record(
            action="exchange_rate.import",
            object_type="exchange_rate",
            object_id=rates[0].source[:80],
            changes={"recorded": [None, fresh]},
        )
    return fresh


def find_others(rates: Sequence[NewRate]) -> list[int]:
    """Return the places in `rates` of those for which another rate is on record."""
    known = {_key(row): row for row in _recorded(rates)}
    return [
        place
        for place, new in enumerate(rates)
        if (row := known.get(new.key)) is not None and row.rate != new.rate
    ]


def _compare(rates: Sequence[NewRate], ours: set[str]) -> int:
    """Return how many rows are new; one that was there before must say the same."""
    for place in find_others(rates):
        other = rates[place]
        raise RateExists(base=other.base, quote=other.quote, kind=other.kind, source=other.source)
    return sum(row.public_id in ours for row in _recorded(rates))


def _recorded(rates: Sequence[NewRate]) -> list[FxRate]:
    """Return what is on record of these instants and sources; a few rows more do no harm."""
    instants, sources = {new.valid_at for new in rates}, {new.source for new in rates}
    return list(FxRate.objects.filter(valid_at__in=instants, source__in=sources))


def _key(row: FxRate) -> tuple[str, str, str, str, datetime]:
    return row.base, row.quote, row.kind, row.source, row.valid_at


def check_new(new: NewRate, now: datetime) -> None:
    """
    Judge a rate by itself.

    :raises UnknownCurrency: if a code is not in ISO 4217
    :raises InvalidRate: for everything else that is wrong with it
    """
    exponent(new.base)
    exponent(new.quote)
    check_rate(new.rate)
    if new.base == new.quote:
        raise InvalidRate(reason="A rate needs two different currencies.")
    if new.kind not in RateKind.values:
        raise InvalidRate(reason="The kind is one of MID, BID, ASK and CLOSING.")
    if not new.source.strip() or len(new.source) > FxRate._meta.get_field("source").max_length:  # type: ignore[operator] # noqa: SLF001 - Django's documented model API
        raise InvalidRate(reason="Say in at most 40 characters where the rate comes from.")
    if new.valid_at > now:
        raise InvalidRate(reason="A rate cannot be valid from an instant that has not come yet.")
