"""Planted movements for monitoring: pure ones for scenarios, posted ones for feed and runs."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from compliance.scenario_base import SCENARIOS, Episode, Move, Watched, defaults, episodes, order, read
from flowlet.core.money import Money
from flowlet.identity.models import User
from flowlet.identity.operations import create_user
from ledger.operations.accounts import house_account
from ledger.operations.posting import Draft, Leg, Posted, post
from wallets.models import Wallet

START = datetime(2026, 6, 1, 8, 0, tzinfo=UTC)
_numbers = count(1)


def at(days: float) -> datetime:
    """Return an instant so many days after the start of the stream."""
    return START + timedelta(days=days)


def move(days: float, side: Any, dollars: int, **more: Any) -> Move:
    """Return a movement of so many US dollars."""
    number = next(_numbers)
    values: dict[str, Any] = {"channel": "WALLET", **more}
    return Move(id=number, key=f"txn_{number:06}", at=at(days), side=side, minor=dollars * 100, **values)


def customer_with(moves: Sequence[Move], **more: Any) -> Watched:
    """Return a person in Norway, known since the start, with these movements."""
    values: dict[str, Any] = {"business": False, "home": frozenset({"NO"}), "since": START, **more}
    return Watched(moves=tuple(sorted(moves, key=order)), **values)


def found_by(code: str, moves: Sequence[Move], **more: Any) -> list[Episode]:
    """Return what a scenario finds with the parameters it is delivered with."""
    scenario = SCENARIOS.get(code)
    return episodes(scenario, customer_with(moves, **more), read(scenario, defaults(scenario)))


def cash_in(wallet: Wallet, minor: int, when: datetime, key: str, kind: str = "CASH_DEPOSIT") -> Posted:
    """Post cash that a customer paid in at an agent."""
    house = house_account(chart_code="SETTLEMENT_CLEARING", currency=wallet.currency, now=when)
    amount = Money(minor, wallet.currency)
    legs = (Leg(house.pk, amount), Leg(wallet.account_id, -amount))
    return _post(kind, key, legs, when)


def pay(payer: Wallet, payee: Wallet, minor: int, when: datetime, key: str) -> Posted:
    """Post a payment between two wallets."""
    amount = Money(minor, payer.currency)
    return _post("P2P", key, (Leg(payer.account_id, amount), Leg(payee.account_id, -amount)), when)


def _post(kind: str, key: str, legs: tuple[Leg, ...], when: datetime) -> Posted:
    draft = Draft(kind=kind, source="test", source_key=key, effective_date=when.date(), legs=legs)
    return post(draft=draft, now=when)


def make_lead(name: str) -> User:
    """Hire a second person who may check."""
    email = f"{name.split(maxsplit=1)[0].lower()}@house.example"
    return create_user(email=email, full_name=name, password="correct-horse-battery", roles=["lead"])
