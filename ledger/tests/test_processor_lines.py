"""What Stripe's list of balance transactions becomes."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction

from flowlet.core.money import Money
from flowlet.integrations.stripe import client as stripe
from ledger.models.reconciliation import ProcessorLine
from ledger.operations.processor_lines import ProcessorSilent, import_stripe
from ledger.tests.factories import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def collected(vendors):
    stripe.create_intent(
        amount=Money(10_000, "EUR"),
        our_reference="pay_1",
        payment_method="pm_card_visa",
        description="Top-up",
    )
    return vendors


def test_movements_are_stored_once_with_fee_and_net(collected):
    span = {"since": NOW - timedelta(days=4000), "until": NOW + timedelta(days=4000)}

    first, again = import_stripe(**span), import_stripe(**span)

    assert (first, again) == (1, 0)
    line = ProcessorLine.objects.get()
    assert (line.kind, line.currency, line.amount_minor) == ("charge", "EUR", 10_000)
    assert line.net_minor == line.amount_minor - line.fee_minor
    with pytest.raises(DatabaseError), transaction.atomic():
        ProcessorLine.objects.update(fee_minor=0)


def test_a_silent_processor_stores_nothing(settings):
    settings.VENDORS = {
        **settings.VENDORS,
        "stripe": {**settings.VENDORS["stripe"], "base_url": "http://127.0.0.1:9"},
    }

    with pytest.raises(ProcessorSilent):
        import_stripe(since=NOW - timedelta(days=1), until=NOW)

    assert not ProcessorLine.objects.exists()
