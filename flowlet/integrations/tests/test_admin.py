"""Vendors in the back office: who may look, what stands there, and that a kept event can be processed again."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from flowlet.audit.models import AuditRecord
from flowlet.backoffice.tests.conftest import log_in
from flowlet.core import clock
from flowlet.core.money import Money
from flowlet.integrations.events import RETRY_S, process_due, receive
from flowlet.integrations.health import get_health
from flowlet.integrations.models import VendorEvent
from flowlet.integrations.stripe import client as stripe
from flowlet.integrations.webhooks import Verified

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(ops) -> Client:
    return log_in(ops)


def _kept():
    now = clock.now()
    verified = Verified(
        "SM1:sent", "message.sent", "SM1", None, {"MessageSid": "SM1", "MessageStatus": "sent", "ref": ""}
    )
    public_id = receive(vendor="twilio", verified=verified, now=now)
    for number in range(len(RETRY_S) + 1):
        process_due(now=now + timedelta(hours=number))
    return public_id


def test_the_health_of_each_vendor_is_counted_from_our_calls(vendors):
    for number, method in enumerate(("pm_card_visa", "pm_card_chargeDeclined")):
        stripe.create_intent(amount=Money(900, "EUR"), our_reference=f"pay_{number}", payment_method=method)
    _kept()

    health = {one.vendor: one for one in get_health(now=clock.now())}

    assert list(health) == ["stripe", "plaid", "twilio", "openai"]
    assert (health["stripe"].calls, health["stripe"].reached_text, health["stripe"].unknown) == (
        2,
        "100.0 %",
        0,
    )
    assert (health["twilio"].kept, health["plaid"].calls) == (1, 0)


def test_the_pages_show_it_within_the_limit_of_queries(vendors, desk, django_assert_max_num_queries):
    public_id = _kept()
    stripe.create_intent(amount=Money(900, "EUR"), our_reference="pay_1", payment_method="pm_card_visa")
    pages = {
        reverse("admin:vendors"): "Stripe",
        reverse("admin:integrations_vendorevent_changelist"): public_id,
        reverse("admin:integrations_vendorevent_change", args=[public_id]): "no_such_object",
        reverse("admin:integrations_vendorcall_changelist"): "payment_intent.create",
    }

    for address, text in pages.items():
        with django_assert_max_num_queries(12):
            answer = desk.get(address)
        assert answer.status_code == 200
        assert text in answer.content.decode()


def test_whoever_may_not_look_is_refused(vendors, finance):
    client = log_in(finance)

    assert client.get(reverse("admin:vendors")).status_code == 403
    assert client.get(reverse("admin:integrations_vendorevent_changelist")).status_code == 403


def test_a_kept_event_is_processed_again_with_a_note(vendors, desk):
    public_id = _kept()
    address = reverse("admin:do", args=["vendor_event.retry", public_id])
    form = desk.get(address)
    data = {"note": "The message was entered by hand.", **_hidden(form.content.decode())}

    answer = desk.post(address, data)

    assert answer.status_code == 303
    assert VendorEvent.objects.get().status == "RECEIVED"
    assert AuditRecord.objects.filter(action="vendor_event.retry", object_id=public_id).exists()


def _hidden(html):
    fields = re.findall(r'<input[^>]*type="hidden"[^>]*>', html)
    return {
        re.search(r'name="([^"]*)"', one)[1]: (re.search(r'value="([^"]*)"', one) or ["", ""])[1]
        for one in fields
    }
