"""The demo's cards: one of each story, and books that are whole afterwards."""

from io import StringIO

import pytest
from django.core.management import call_command

from cards.models.authorizations import CardAuthorization, CardDecision, CardTransaction
from cards.models.issuing import Card, CardFreeze
from ledger.queries.verification import verify


@pytest.mark.django_db
def test_the_demo_shows_every_state_and_reason_and_the_books_are_whole() -> None:
    call_command("load_demo", scale=0.06, processes=1, stdout=StringIO())

    assert Card.objects.count() >= 12
    assert set(Card.objects.values_list("status", flat=True)) == {"ACTIVE", "INACTIVE", "CLOSED"}
    assert set(CardFreeze.objects.values_list("source", flat=True)) == {"OPS", "CARDHOLDER"}
    states = set(CardAuthorization.objects.values_list("state", flat=True))
    assert states == {"OPEN", "CLEARED", "DECLINED", "EXPIRED"}
    reasons = set(CardDecision.objects.exclude(reason="").values_list("reason", flat=True))
    assert reasons >= {
        "card_frozen",
        "card_inactive",
        "card_stolen",
        "transaction_limit",
        "merchant_blocked",
        "insufficient_funds",
    }
    exceptions = set(CardTransaction.objects.values_list("exception_code", flat=True))
    assert exceptions >= {"", "NO_AUTHORIZATION", "OVER_AUTHORIZED", "REFUND_UNMATCHED"}
    assert verify().clean
