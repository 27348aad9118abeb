"""A loaded demo: whole books, people who can log in, a line that pays, cards and payments in every state."""

import json
import re
from io import StringIO
from urllib.parse import urlencode

import pytest
from django.core.management import call_command
from django.db.models import Sum

from cards.models.authorizations import CardAuthorization, CardDecision, CardTransaction
from cards.models.issuing import Card, CardFreeze
from compliance.models.screening import ScreeningHit
from flowlet.demo import story
from flowlet.demo.people import CLIENT_SECRET, DESKS, PASSWORD
from flowlet.identity.models import Partner, User
from fraud.models import Decision
from ledger.models.accounts import Balance
from ledger.models.transactions import LedgerTransaction
from ledger.queries.verification import verify
from payments.models import Payment, PaymentAttempt, Refund
from wallets.models import BankAccount, Wallet

# Loaded once: one worker takes all of it.
pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("demo")]


@pytest.fixture(scope="module")
def loaded(once_per_module):
    """Load a fifth of the customers, who pay each other less often than in the whole story; return what was said."""
    out = StringIO()
    with once_per_module.unblock(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(story, "PAYMENTS", 2_500)
        call_command("load_demo", scale=0.2, processes=1, stdout=out)
    return out.getvalue()


def test_a_small_demo_is_whole_and_can_be_logged_in_to(loaded):
    assert "Demo data is there" in loaded
    assert (Partner.objects.count(), ScreeningHit.objects.exists()) == (3, True)
    completed = Payment.objects.filter(status="COMPLETED")
    assert completed.count() > 100
    booked = LedgerTransaction.objects.filter(pk__in=completed.values("transaction_id"))
    assert booked.count() == completed.count()
    for currency in Wallet.objects.values_list("currency", flat=True).distinct():
        # What the house owes stands against what it has: banks, agents, processors on the way, customers who owe.
        sums = Balance.objects.filter(currency=currency).values_list("sign").annotate(Sum("posted"))
        assert len(set(dict(sums).values())) == 1, (currency, list(sums))
    assert not BankAccount.objects.filter(balance_minor__lt=0).exists()
    for desk in DESKS:
        user = User.objects.get(email=desk.email)
        assert user.check_password(PASSWORD)
        assert [group.name for group in user.groups.all()] == [desk.role]


def test_the_printed_line_pays_once(client, loaded):
    out = StringIO()
    call_command("show_access", base_url="http://testserver", stdout=out)
    said = out.getvalue()

    client_id = re.search(r"client id +(\S+)", said)[1]
    body = json.loads(re.search(r"-d '(\{.*\})'", said)[1])
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": CLIENT_SECRET}
    answer = client.post(
        "/api/v1/oauth/token", urlencode(form), content_type="application/x-www-form-urlencoded"
    )
    token = answer.json()["access_token"]
    count = Payment.objects.count()
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "first-payment"}
    first, again = (
        client.post("/api/v1/payments", body, content_type="application/json", headers=headers)
        for _ in range(2)
    )

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert again.headers["Idempotent-Replayed"] == "true"
    assert Payment.objects.count() == count + 1


def test_the_demo_shows_every_state_and_reason_and_the_books_are_whole(loaded):
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


def test_the_demo_shows_payouts_in_every_state_held_payments_and_refunds(loaded):
    payouts = set(Payment.objects.filter(kind="PAYOUT").values_list("status", flat=True))
    assert {"COMPLETED", "FAILED", "RETURNED", "OUTCOME_UNKNOWN"} <= payouts
    held = Payment.objects.filter(status="HELD")
    assert held.count() >= 2
    for payment in held:
        assert Decision.objects.get(public_id=payment.fraud_decision).action == "REVIEW"
    assert Refund.objects.filter(status="SUCCEEDED").count() == 2
    # Nothing is left for a worker to ask a vendor about, who knows none of it.
    open_ones = PaymentAttempt.objects.filter(next_check_at__isnull=False)
    assert not open_ones.filter(payment__rail__startswith="stripe").exists()
    call_command("verify_ledger", stdout=StringIO())
