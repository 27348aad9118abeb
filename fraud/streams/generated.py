"""
A made-up past with planted fraud, for tests and the demo: the same seed gives the same rows.

Customers have a usual amount, usual recipients, devices and places. Four patterns are planted: a place of acceptance
that leaks cards, an account taken over, numbers tried out with small amounts, a recipient who collects from many.
Some frauds look ordinary and some ordinary payments look odd, so that no model can be perfect.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from flowlet.core.money import Money
from fraud.choices import LabelSource, Product, Verdict
from fraud.operations.importing import ImportedEvent
from fraud.values import LIVE, ScoringRequest

_COUNTRIES = ("DE", "NL", "FR", "ES", "IT", "PL")
_LABEL_DELAY_DAYS = 7
_DAY_S = 86_400
_NOON_SPREAD_S = 16_000
_LARGE = 5.0
# The shares of this made-up world.
_TO_PERSON = 0.35
_ODD_LARGE, _ODD_ABROAD, _ODD_DEVICE = 0.010, 0.018, 0.025
_UNSEEN_FRAUD = 0.0015
_LEAK_EVERY_DAYS, _LEAK_DAYS, _LEAK_FRAUD = 6, 28, 0.7
_TAKEN_OVER_PER_DAY, _TAKEN_OVER_CHANGED = 0.6, 0.7
_TRIED_OUT_PER_DAY, _TRIED_OUT_SMALL = 0.12, 5
_COLLECTED_EVERY_DAYS, _COLLECTED_PAYERS = 15, 10


@dataclass(frozen=True, slots=True)
class Shape:
    """
    How much history: people, places, days up to `until`.

    Of ten people `no_device` pay by apps that name no device; every so many genuine transfers one goes to somebody new,
    here or abroad (`new_payee_every`, 0 never).
    """

    until: datetime
    days: int = 90
    customers: int = 240
    terminals: int = 160
    seed: int = 0
    stream: str = LIVE
    currency: str = "EUR"
    no_device: int = 0
    new_payee_every: int = 0


@dataclass(frozen=True, slots=True)
class _Person:
    """One customer's habits."""

    number: int
    usual_minor: float
    per_day: float
    device: str
    country: str
    terminals: tuple[int, ...]
    recipients: tuple[int, ...]
    since: datetime


@dataclass(frozen=True, slots=True)
class _Draft:
    """A movement before it has a number."""

    at: datetime
    person: _Person
    minor: int
    terminal: str
    recipient: str
    device: str
    country: str
    changed_at: datetime | None
    fraud: bool


def generate(shape: Shape) -> list[ImportedEvent]:
    """Return the history in order of time, with labels known a week later (those that are known by `until`)."""
    generator = np.random.default_rng(shape.seed)
    people = [_person(number, shape, generator) for number in range(shape.customers)]
    start = shape.until - timedelta(days=shape.days)
    drafts: list[_Draft] = []
    for day in range(shape.days):
        morning = start + timedelta(days=day)
        leaking = (
            {int(number) for number in generator.choice(shape.terminals, size=1)}
            if day % _LEAK_EVERY_DAYS == 0
            else set()
        )
        drafts += _ordinary(people, morning, generator)
        drafts += _taken_over(people, morning, generator)
        drafts += _tried_out(people, morning, generator)
        drafts += _collected(people, morning, day, generator)
        for number in leaking:
            drafts += _leaked(people, number, morning, generator)
    ordered = sorted(drafts, key=lambda draft: (draft.at, draft.person.number, draft.minor))
    kept = [draft for draft in ordered if draft.at < shape.until]
    return [_event(place, draft, shape) for place, draft in enumerate(kept)]


def _person(number: int, shape: Shape, generator: np.random.Generator) -> _Person:
    return _Person(
        number=number,
        usual_minor=float(generator.uniform(800, 9_000)),
        per_day=float(generator.uniform(0.3, 1.6)),
        device=f"device-{number}",
        country=str(generator.choice(_COUNTRIES)),
        terminals=tuple(int(place) for place in generator.choice(shape.terminals, size=6, replace=False)),
        recipients=tuple(int(place) for place in generator.choice(shape.customers, size=5, replace=False)),
        since=shape.until - timedelta(days=shape.days + float(generator.uniform(5, 900))),
    )


def _at(morning: datetime, generator: np.random.Generator) -> datetime:
    seconds = int(np.clip(generator.normal(_DAY_S / 2, _NOON_SPREAD_S), 0, _DAY_S - 1))
    return morning + timedelta(seconds=seconds)


def _usual(person: _Person, morning: datetime, generator: np.random.Generator) -> _Draft:
    minor = max(50, int(person.usual_minor * np.exp(generator.normal(0, 0.5))))
    to_person = generator.random() < _TO_PERSON
    return _Draft(
        at=_at(morning, generator),
        person=person,
        minor=minor,
        terminal="" if to_person else f"shop-{generator.choice(person.terminals)}",
        recipient=f"person-{generator.choice(person.recipients)}" if to_person else "",
        device=person.device,
        country=person.country,
        changed_at=None,
        fraud=False,
    )


def _ordinary(people: list[_Person], morning: datetime, generator: np.random.Generator) -> Iterator[_Draft]:
    """Give a day's ordinary payments, one in forty of them odd: large, abroad, or from a new device."""
    for person in people:
        for _ in range(int(generator.poisson(person.per_day))):
            draft = _usual(person, morning, generator)
            odd = generator.random()
            if odd < _ODD_LARGE:
                draft = replace(draft, minor=int(draft.minor * _LARGE))
            elif odd < _ODD_ABROAD:
                draft = replace(draft, country=str(generator.choice(_COUNTRIES)))
            elif odd < _ODD_DEVICE:
                draft = replace(draft, device=f"{person.device}-{morning:%m%d}")
            yield draft
            if generator.random() < _UNSEEN_FRAUD:
                yield replace(_usual(person, morning, generator), fraud=True)


def _leaked(
    people: list[_Person], terminal: int, morning: datetime, generator: np.random.Generator
) -> Iterator[_Draft]:
    """Give a month of frauds at a place whose card reader was tampered with, among its ordinary customers."""
    for day in range(_LEAK_DAYS):
        for person in generator.choice(np.array(people, dtype=object), size=int(generator.poisson(1.0))):
            draft = _usual(person, morning + timedelta(days=day), generator)
            yield replace(
                draft, terminal=f"shop-{terminal}", recipient="", fraud=bool(generator.random() < _LEAK_FRAUD)
            )


def _taken_over(people: list[_Person], morning: datetime, generator: np.random.Generator) -> Iterator[_Draft]:
    """Give payments of somebody who took an account over: details changed, new device, much money, strangers."""
    for _ in range(int(generator.poisson(_TAKEN_OVER_PER_DAY))):
        victim = people[int(generator.integers(len(people)))]
        changed = _at(morning, generator)
        for step in range(int(generator.integers(2, 5))):
            yield _Draft(
                at=changed + timedelta(minutes=20 + 40 * step),
                person=victim,
                minor=int(victim.usual_minor * generator.uniform(2, 8)),
                terminal="",
                recipient=f"stranger-{int(generator.integers(400))}",
                device=f"stolen-{int(generator.integers(10_000))}",
                country=str(generator.choice(_COUNTRIES)),
                changed_at=changed if generator.random() < _TAKEN_OVER_CHANGED else None,
                fraud=True,
            )


def _tried_out(people: list[_Person], morning: datetime, generator: np.random.Generator) -> Iterator[_Draft]:
    """Give a burst of small amounts at different places, then a large one."""
    if generator.random() < _TRIED_OUT_PER_DAY:
        victim = people[int(generator.integers(len(people)))]
        begin = _at(morning, generator)
        for step in range(_TRIED_OUT_SMALL + 1):
            small = _usual(victim, morning, generator)
            yield replace(
                small,
                at=begin + timedelta(minutes=3 * step),
                minor=int(generator.integers(50, 250))
                if step < _TRIED_OUT_SMALL
                else int(victim.usual_minor * 4),
                terminal=f"shop-{int(generator.integers(160))}",
                recipient="",
                fraud=True,
            )


def _collected(
    people: list[_Person], morning: datetime, day: int, generator: np.random.Generator
) -> Iterator[_Draft]:
    """Give one day on which many pay the same new recipient."""
    if day % _COLLECTED_EVERY_DAYS == _COLLECTED_EVERY_DAYS // 2:
        for payer in generator.choice(np.array(people, dtype=object), size=_COLLECTED_PAYERS, replace=False):
            draft = _usual(payer, morning, generator)
            yield replace(draft, terminal="", recipient=f"mule-{day}", minor=int(draft.minor * 2), fraud=True)


def _to_somebody_new(number: int, draft: _Draft, shape: Shape) -> _Draft:
    """Give a genuine transfer another recipient, here or abroad, every so often; no draw, which would move all else."""
    if draft.fraud or not draft.recipient or not shape.new_payee_every or number % shape.new_payee_every:
        return draft
    recipient = f"person-{number * 7919 % (10 * shape.customers)}"
    return replace(
        draft, recipient=recipient, country=_COUNTRIES[number // shape.new_payee_every % len(_COUNTRIES)]
    )


def _event(number: int, draft: _Draft, shape: Shape) -> ImportedEvent:
    draft = _to_somebody_new(number, draft, shape)
    person = draft.person
    card = bool(draft.terminal)
    known_at = draft.at + timedelta(days=_LABEL_DELAY_DAYS)
    known = known_at <= shape.until
    verdict = Verdict.FRAUD if draft.fraud else Verdict.GENUINE
    request = ScoringRequest(
        stream=shape.stream,
        source_kind="history",
        source_id=f"{shape.stream}-{shape.seed}-{number}",
        kind="CARD" if card else "P2P",
        product=Product.CARD if card else Product.PAYMENT,
        event_at=draft.at,
        amount=Money(draft.minor, shape.currency),
        customer=f"person-{person.number}",
        device="" if person.number % 10 < shape.no_device else draft.device,
        terminal=draft.terminal,
        counterparty=draft.recipient,
        country=draft.country,
        customer_country=person.country,
        customer_since=person.since,
        details_changed_at=draft.changed_at,
    )
    source = LabelSource.ANALYST if draft.fraud else LabelSource.PARTNER
    if not known:
        return ImportedEvent(request, draft.at)
    return ImportedEvent(request, draft.at, verdict, known_at, source)
