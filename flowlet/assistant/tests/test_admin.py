"""Chats, linked banks and messages in the back office: masked, within the limit of queries, for whom they are."""

import pytest
from django.urls import reverse

from flowlet.assistant.operations import ask, open_chat
from flowlet.backoffice.tests.conftest import log_in
from flowlet.core import clock
from flowlet.identity import operations as identity
from flowlet.integrations import links
from flowlet.integrations.plaid import client as plaid
from flowlet.notifications.operations import queue_sms

pytestmark = pytest.mark.django_db
PHONE, EMAIL = "+4915112345678", "mirela@canary.example"


@pytest.fixture
def support(db):
    return identity.create_user(
        email="dilan@house.example",
        full_name="Dilan Yavuz",
        password="correct-horse-battery",
        roles=["support"],
    )


@pytest.fixture
def person(partner):
    return identity.create_customer(
        partner_id=partner.pk,
        kind="PERSON",
        given_name="Mirela",
        family_name="Sandvik",
        country="NO",
        phone=PHONE,
        email=EMAIL,
        now=clock.now(),
    )


def test_a_chat_is_shown_masked(support, person, vendors, django_assert_max_num_queries):
    chat = open_chat(customer_id=person.pk, now=clock.now())
    text = f"Mirela here, {EMAIL}, {PHONE}, DE89 3704 0044 0532 0130 00: where are my 12.50 EUR of 3 May?"
    ask(chat_id=chat.pk, text=text, idempotency_key=None, now=clock.now())
    browser = log_in(support)

    with django_assert_max_num_queries(12):
        listed = browser.get(reverse("admin:assistant_chat_changelist")).content.decode()
    with django_assert_max_num_queries(12):
        page = browser.get(reverse("admin:assistant_chat_change", args=[chat.public_id])).content.decode()

    assert chat.public_id in listed
    assert "(name) here, (email), (phone), (iban): where are my 12.50 EUR of 3 May?" in page
    for secret in (EMAIL, PHONE, "0532 0130"):
        assert secret not in page


def test_a_linked_bank_is_shown_without_its_token(ops, person, vendors, django_assert_max_num_queries):
    token = plaid.create_sandbox_public_token(institution="ins_109508", owner="Mirela Sandvik").value
    link = links.finish_link(customer_id=person.pk, public_token=token, now=clock.now())
    browser = log_in(ops)

    with django_assert_max_num_queries(12):
        listed = browser.get(reverse("admin:integrations_banklink_changelist")).content.decode()
    with django_assert_max_num_queries(12):
        page = browser.get(reverse("admin:integrations_banklink_change", args=[link.public_id])).content
    found = browser.get(reverse("admin:integrations_banklink_changelist") + f"?q={person.public_id}")

    assert link.public_id in listed
    assert "Name matches (100)" in page.decode()
    assert link.access_token not in page.decode()
    assert link.public_id in found.content.decode()


def test_a_message_is_shown_with_the_end_of_its_number(ops, person, django_assert_max_num_queries):
    values = {"partner": "Northwind Pay", "amount": "12.50 EUR", "reference": "pay_1"}
    message = queue_sms(
        customer_id=person.pk, cause="c", template="payment_sent", values=values, now=clock.now()
    )
    browser = log_in(ops)

    with django_assert_max_num_queries(12):
        listed = browser.get(reverse("admin:notifications_message_changelist")).content.decode()
    with django_assert_max_num_queries(12):
        page = browser.get(
            reverse("admin:notifications_message_change", args=[message.public_id])
        ).content.decode()

    assert message.public_id in listed
    assert PHONE not in listed + page
    assert "\N{BULLET}\N{BULLET}\N{BULLET}678" in page


def test_who_may_not_look_is_refused(support, finance, officer):
    chats, banks = (
        reverse("admin:assistant_chat_changelist"),
        reverse("admin:integrations_banklink_changelist"),
    )

    assert [log_in(support).get(page).status_code for page in (chats, banks)] == [200, 200]
    assert [log_in(finance).get(page).status_code for page in (chats, banks)] == [403, 200]
    assert log_in(officer).get(chats).status_code == 403
