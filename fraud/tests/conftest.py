"""Fixtures of fraud: the versions a release brings, requests, and a small trained stream."""

import itertools
from collections.abc import Callable
from datetime import timedelta

import pytest

from flowlet.core.money import Money
from fraud import installing
from fraud.serving import loader
from fraud.values import ScoringRequest


@pytest.fixture(autouse=True)
def _fresh_models():
    loader.forget()
    yield
    loader.forget()


@pytest.fixture
def installed(db, now):
    installing.install(now=now)


@pytest.fixture
def request_for(now) -> Callable[..., ScoringRequest]:
    numbers = itertools.count()

    def build(**values) -> ScoringRequest:
        values = {"minor": 2_500, "at": now, **values}
        amount = Money(values.pop("minor"), values.pop("currency", "EUR"))
        return ScoringRequest(
            **{
                "source_kind": "payment",
                "source_id": f"pay_{next(numbers):026d}",
                "kind": "P2P",
                "product": "PAYMENT",
                "event_at": values.pop("at"),
                "amount": amount,
                "customer": "cus_A",
                "counterparty": "wal_B",
                "customer_since": now - timedelta(days=400),
                **values,
            }
        )

    return build
