"""The demo's money from and to outside: every state is there, held payments have reasons, the books are whole."""

from io import StringIO

import pytest
from django.core.management import call_command

from fraud.models import Decision
from payments.models import Payment, PaymentAttempt, Refund

pytestmark = pytest.mark.django_db


def test_the_demo_shows_payouts_in_every_state_held_payments_and_refunds():
    call_command("load_demo", scale=0.2, processes=1, stdout=StringIO())

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
