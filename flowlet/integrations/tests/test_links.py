"""Linking a bank over real HTTP: once for a token, encrypted, given back; what goes wrong on the way loses nothing."""

import re
from datetime import timedelta

import pytest
import requests
from django.db import connection
from django.test import Client

from flowlet.core import clock
from flowlet.events.models import Event
from flowlet.gateway.tests.factories import Api, make_client
from flowlet.integrations import links
from flowlet.integrations.errors import LinkInProgress, LinkUnclear, PublicTokenRefused, VendorAway
from flowlet.integrations.events import process_due
from flowlet.integrations.models import BankLink, LinkedAccount, VendorEvent
from flowlet.integrations.plaid import client as plaid
from flowlet.integrations.simulation.faults import Plan
from flowlet.integrations.tests import signers

pytestmark = pytest.mark.django_db
BANK = "ins_109508"


@pytest.fixture
def api(partner):
    return Api(make_client(partner))


def public_token(owner: str = "Mirela Sandvik", bank: str = BANK) -> str:
    return plaid.create_sandbox_public_token(institution=bank, owner=owner).value


def fault(vendors, do, path):
    vendors.faults.plans = [Plan.read({"match": {"vendor": "plaid", "path": path}, "do": do, "seconds": 3})]


def link(customer, owner="Mirela Sandvik", **more):
    return links.finish_link(
        customer_id=customer.pk, public_token=public_token(owner), now=clock.now(), **more
    )


def test_a_person_picks_a_bank_on_the_page_and_the_partner_gets_its_accounts(api, customer, vendors):
    begun = api.post(f"customers/{customer.public_id}/bank_links", {})
    page = requests.get(begun.json()["url"], timeout=5)
    picked = requests.post(
        begun.json()["url"], data={"institution": BANK, "owner": "Mirela Sandvik"}, timeout=5
    )
    token = re.search(r"public-sandbox-\w+", picked.text)[0]
    made = api.post(f"customers/{customer.public_id}/bank_links/exchange", {"public_token": token})
    again = api.post(f"customers/{customer.public_id}/bank_links/exchange", {"public_token": token})

    assert (begun.status_code, page.status_code, made.status_code) == (201, 200, 201)
    assert "First Platypus Bank" in page.text
    body = made.json()
    assert (body["status"], body["institution"]) == ("active", "First Platypus Bank")
    assert [(one["kind"], one["owner_match"], one["usable"]) for one in body["accounts"]] == [
        ("checking", "match", True),
        ("savings", "match", True),
    ]
    assert again.json() == body == api.get(f"bank_links/{body['id']}").json()
    assert api.get(f"bank_links?customer={customer.public_id}").json()["data"] == [body]
    assert list(Event.objects.filter(object_id=body["id"]).values_list("type", flat=True)) == [
        "bank_link.created"
    ]


def test_an_expired_or_unknown_page_links_nothing(vendors):
    address = vendors.urls()["plaid"]

    assert requests.get(f"{address}/hosted/link-sandbox-nobody", timeout=5).status_code == 404
    assert requests.post(f"{address}/hosted/nobody", data={"institution": BANK}, timeout=5).status_code == 404
    assert vendors.vendors["plaid"].books()["items"] == {}


def test_the_access_token_is_encrypted_and_shown_nowhere(api, customer, vendors):
    made = link(customer)

    with connection.cursor() as cursor:
        cursor.execute("SELECT access_token FROM integrations_banklink")
        stored = bytes(cursor.fetchone()[0])
    assert made.access_token.startswith("access-sandbox-")
    assert made.access_token.encode() not in stored
    assert "access-" not in api.get(f"bank_links/{made.public_id}").content.decode()


@pytest.mark.parametrize(
    ("owner", "match", "usable"),
    [
        ("Mirela Sandvik", "MATCH", True),
        ("mirela SANDVIK", "MATCH", True),
        ("Bo Lund", "NO_MATCH", False),
        ("Mirela Sandvik Berg Lund", "NO_MATCH", False),
    ],
)
def test_an_account_is_usable_only_where_its_owner_is_the_customer(customer, vendors, owner, match, usable):
    link(customer, owner)

    account = LinkedAccount.objects.select_related("link").order_by("pk").first()

    assert (account.owner_match, account.usable) == (match, usable)


def test_a_token_of_nobody_and_a_token_of_somebody_else_are_refused(api, customer, partner, vendors):
    token = public_token()
    links.finish_link(customer_id=customer.pk, public_token=token, now=clock.now())
    other = api.post(
        "customers",
        {"kind": "person", "given_name": "Bo", "family_name": "Lund", "country": "NO"},
        key="k",
    ).json()["id"]

    unknown = api.post(f"customers/{customer.public_id}/bank_links/exchange", {"public_token": "public-x"})
    stolen = api.post(f"customers/{other}/bank_links/exchange", {"public_token": token})

    assert (unknown.status_code, unknown.json()["code"]) == (422, "public_token_refused")
    assert (stolen.status_code, stolen.json()["code"]) == (422, "public_token_refused")


def test_another_partners_customers_and_links_do_not_exist(other_partner, customer, vendors):
    made, stranger = link(customer), Api(make_client(other_partner))

    assert stranger.get(f"bank_links/{made.public_id}").status_code == 404
    assert stranger.post(f"bank_links/{made.public_id}/remove").status_code == 404
    assert stranger.post(f"customers/{customer.public_id}/bank_links").status_code == 404
    assert stranger.get("bank_links").json()["data"] == []


def test_a_vendor_that_is_away_leaves_the_token_good(customer, vendors):
    token = public_token()
    fault(vendors, "too_many", "/item/public_token/exchange")
    with pytest.raises(VendorAway):
        links.finish_link(customer_id=customer.pk, public_token=token, now=clock.now())
    vendors.faults.plans = []

    made = links.finish_link(customer_id=customer.pk, public_token=token, now=clock.now())

    assert (made.status, made.accounts.count()) == ("ACTIVE", 2)


@pytest.mark.parametrize("do", ["hang_after_effect", "cut_after_effect", "garbage"])
def test_a_token_whose_answer_got_lost_is_said_to_be_unclear_and_cannot_be_used_again(customer, vendors, do):
    token = public_token()
    fault(vendors, do, "/item/public_token/exchange")
    with pytest.raises(LinkUnclear):
        links.finish_link(customer_id=customer.pk, public_token=token, now=clock.now())
    vendors.faults.plans = []

    with pytest.raises(LinkUnclear):
        links.finish_link(customer_id=customer.pk, public_token=token, now=clock.now())

    assert BankLink.objects.get().status == "FAILED"


def test_accounts_that_could_not_be_read_are_read_at_the_next_try(api, customer, vendors):
    token = public_token()
    fault(vendors, "error_before_effect", "/accounts/get")
    with pytest.raises(VendorAway):
        links.finish_link(customer_id=customer.pk, public_token=token, now=clock.now())
    vendors.faults.plans = []

    made = links.finish_link(customer_id=customer.pk, public_token=token, now=clock.now())

    assert (made.accounts.count(), len(vendors.vendors["plaid"].tokens)) == (2, 1)


def test_two_requests_with_one_token_make_one_link(customer, partner, vendors):
    now = clock.now()
    token = public_token()
    made = links.finish_link(customer_id=customer.pk, public_token=token, now=now)
    BankLink.objects.filter(pk=made.pk).update(status="PENDING", access_token=None)

    with pytest.raises(LinkInProgress):
        links.finish_link(customer_id=customer.pk, public_token=token, now=now + timedelta(seconds=30))
    with pytest.raises(LinkUnclear):
        links.finish_link(customer_id=customer.pk, public_token=token, now=now + timedelta(seconds=61))


def test_an_unlinked_bank_is_forgotten_here_and_there(api, customer, vendors):
    made = link(customer)

    gone = api.post(f"bank_links/{made.public_id}/remove")
    again = api.post(f"bank_links/{made.public_id}/remove")

    assert (gone.json()["status"], again.json()["status"]) == ("removed", "removed")
    made.refresh_from_db()
    assert (made.access_token, vendors.vendors["plaid"].tokens) == (None, {})
    assert not any(one["usable"] for one in gone.json()["accounts"])
    events = Event.objects.filter(object_id=made.public_id).order_by("pk").values_list("type", flat=True)
    assert list(events) == ["bank_link.created", "bank_link.removed"]


def test_a_bank_unlinked_while_the_vendor_is_away_is_given_back_by_the_job(customer, vendors):
    made = link(customer)
    fault(vendors, "cut_before_effect", "/item/remove")

    waiting = links.remove_link(partner_id=made.partner_id, public_id=made.public_id, now=clock.now())
    vendors.faults.plans = []
    taken = links.remove_waiting(now=clock.now())

    assert (waiting.status, taken, vendors.vendors["plaid"].tokens) == ("REMOVING", 1, {})
    assert BankLink.objects.get().status == "REMOVED"
    assert links.remove_waiting(now=clock.now()) == 0


def test_what_the_vendor_says_about_a_link_is_believed_once_it_is_certain(customer, vendors):
    made = link(customer)

    def say(code, **how):
        body = (
            b'{"webhook_type": "ITEM", "webhook_code": "%s", "item_id": "%s", "environment": "sandbox",'
            b' "error": {"error_code": "ITEM_LOGIN_REQUIRED"}}' % (code, made.vendor_reference.encode())
        )
        status = signers.plaid(vendors, body, **how).send(Client()).status_code
        process_due(now=clock.now())
        made.refresh_from_db()
        return status, made.status

    assert say(b"ERROR", key=signers.stranger()) == (400, "ACTIVE")
    assert say(b"ERROR", age=400) == (400, "ACTIVE")
    assert VendorEvent.objects.count() == 0
    assert say(b"ERROR") == (200, "BROKEN")
    assert made.reason == "item_login_required"
    assert say(b"LOGIN_REPAIRED") == (200, "ACTIVE")
    assert say(b"USER_PERMISSION_REVOKED") == (200, "REMOVED")
    assert say(b"LOGIN_REPAIRED") == (200, "REMOVED")


def test_bad_bodies_are_refused(api, customer, vendors):
    path = f"customers/{customer.public_id}/bank_links"

    assert api.post(f"{path}/exchange", {}).status_code == 400
    assert api.post(f"{path}/exchange", {"public_token": 5}).status_code == 400
    assert api.post(path, {"language": "xx"}).status_code == 400
    with pytest.raises(PublicTokenRefused):
        links.finish_link(customer_id=customer.pk, public_token="p", now=clock.now())
