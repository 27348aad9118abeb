"""Limits are seen, asked for by one person, agreed to by another, and bind at once."""

import json
import uuid
from decimal import Decimal

import pytest
from django.contrib.auth.models import Group

from flowlet.audit.models import AuditRecord
from flowlet.backoffice.approvals.errors import ApprovalPending, NotYourApproval, OwnApproval
from flowlet.backoffice.approvals.operations import approve
from flowlet.backoffice.models import Approval
from flowlet.backoffice.tests.conftest import log_in
from flowlet.core.errors import InvalidInput
from flowlet.core.money import InvalidAmount, Money
from wallets.errors import LimitExceeded
from wallets.limits import limits_of
from wallets.models import LimitRule
from wallets.operations.limit_rules import RuleKey, ask_to_set_limit, find_rule, key_of, set_limit
from wallets.operations.limits import use_limit
from wallets.tests.factories import NOW, make_wallet

pytestmark = pytest.mark.django_db
DAY = RuleKey("BASIC", "OUT", "DAY", "EUR")


@pytest.fixture
def finance_lead(finance):
    finance.groups.add(Group.objects.get(name="finance_lead"))
    return finance


def version_of(client, address):
    return client.get(address).content.decode().partition('name="version" value="')[2].partition('"')[0]


def send(client, address, **values):
    form = {"form_id": str(uuid.uuid4()), "version": version_of(client, address), "note": "Board, item 4"}
    return client.post(address, {**form, "reason": "RISK_REVIEW", **values})


def agree(asked, checker):
    approve(approval_id=asked.pk, checker_id=checker.pk, seen_hash=asked.content_hash, now=NOW)


def left(wallet):
    found = limits_of(wallet.customer, currencies=("EUR",), now=NOW)
    return next(one.left.minor for one in found if (one.kind, one.interval) == ("OUT", "DAY"))


def test_a_lowered_cap_binds_at_once_when_two_people_agree(finance_lead, lead, ops, customer):
    # Given a customer who has used 300.00 of the 1,500.00 of his day
    wallet, rule = make_wallet(customer), find_rule(DAY)
    use_limit(wallet=wallet, kind="OUT", amount=Money(30_000, "EUR"), now=NOW)
    desk, address = log_in(finance_lead), f"/admin/do/limit_rule.ask/{rule.pk}/"
    page = desk.get(address).content.decode().replace("\N{NO-BREAK SPACE}", " ")

    # When one asks to lower it and nobody has agreed yet
    asked_for = send(desk, address, amount="350.5")
    asked = Approval.objects.get(action="wallets.set_limit")

    # Then nothing is changed, he cannot agree himself, nor can who lacks the right
    assert "Now 1,500.00 EUR." in page
    assert (asked_for.status_code, left(wallet)) == (303, 120_000)
    with pytest.raises(OwnApproval):
        agree(asked, finance_lead)
    with pytest.raises(NotYourApproval):
        agree(asked, ops)
    with pytest.raises(ApprovalPending):
        ask_to_set_limit(key=DAY, amount_minor=1, maker_id=lead.pk, reason_code="INCIDENT", now=NOW)

    # And when the second agrees, the next movement is measured by it, with what was moved before
    agree(asked, lead)
    assert left(wallet) == 5_050
    with pytest.raises(LimitExceeded):
        use_limit(wallet=wallet, kind="OUT", amount=Money(5_051, "EUR"), now=NOW)
    use_limit(wallet=wallet, kind="OUT", amount=Money(5_050, "EUR"), now=NOW)
    record = AuditRecord.objects.get(action="limit_rule.set")
    assert (record.object_id, record.reason_code) == (DAY.text, "RISK_REVIEW")
    assert json.loads(record.changes)["amount_minor"] == [150_000, 35_050]


def test_a_partner_gets_a_limit_of_its_own_that_goes_before_the_general_one(
    finance_lead, lead, partner, customer
):
    wallet, desk = make_wallet(customer), log_in(finance_lead)
    address = f"/admin/do/partner.ask_limit/{partner.public_id}/"
    values = {"tier": "BASIC", "kind": "OUT", "interval": "DAY", "currency": "EUR", "amount": "10"}

    wrong = send(desk, address, **{**values, "interval": "BALANCE"})
    done = send(desk, address, **values)
    agree(Approval.objects.get(action="wallets.set_limit"), lead)

    assert (wrong.status_code, done.status_code, left(wallet)) == (400, 303, 1_000)
    own = LimitRule.objects.get(partner=partner)
    assert key_of(own) == RuleKey("BASIC", "OUT", "DAY", "EUR", partner.public_id)
    assert RuleKey.read(key_of(own).text) == key_of(own)
    listed = desk.get("/admin/limits/?view=partners").content.decode()
    assert partner.name in listed


def test_limits_are_listed_and_shown_to_those_who_work_with_them(
    ops, auditor, finance, django_assert_max_num_queries
):
    rule, desk = find_rule(DAY), log_in(ops)
    with django_assert_max_num_queries(12):
        listed = desk.get("/admin/limits/?tier=BASIC&currency=EUR").content.decode()
    shown = desk.get(f"/admin/limits/{rule.pk}/").content.decode().replace("\N{NO-BREAK SPACE}", " ")

    assert "Money out, day" in listed
    assert "1,500.00" in shown
    assert "Change…" not in shown
    assert desk.get("/admin/limits/none/").status_code == 404
    assert log_in(auditor).get("/admin/limits/").status_code == 200
    for reader in (ops, auditor, finance):
        assert log_in(reader).get(f"/admin/do/limit_rule.ask/{rule.pk}/").status_code == 403


def test_words_for_a_number_are_no_limit(finance_lead):
    assert log_in(finance_lead).get("/admin/do/limit_rule.ask/none/").status_code == 404


@pytest.mark.parametrize(
    "key",
    [
        RuleKey("GOLD", "OUT", "DAY"),
        RuleKey("BASIC", "UP", "DAY"),
        RuleKey("BASIC", "OUT", "YEAR"),
        RuleKey("BASIC", "OUT", "BALANCE"),
        RuleKey("BASIC", "OUT", "DAY", "EUR", "prt_gone"),
    ],
)
def test_a_limit_that_cannot_be_is_refused(key):
    with pytest.raises(InvalidInput):
        set_limit(key=key, amount_minor=1, reason_code="INCIDENT", now=NOW)


def test_a_limit_counts_in_the_currencys_digits_and_takes_no_negative_amount():
    lek, rest = RuleKey("BASIC", "OUT", "DAY", "ALL"), RuleKey("BASIC", "OUT", "DAY")

    assert RuleKey.read(lek.text) == lek
    assert RuleKey.read(rest.text) == rest
    assert [
        RuleKey("BASIC", "OUT", "DAY", code).minor_of(Decimal("12.5")) for code in ("KWD", "EUR", "")
    ] == [
        12_500,
        1_250,
        1_250,
    ]
    with pytest.raises(InvalidAmount):
        RuleKey("BASIC", "OUT", "DAY", "JPY").minor_of(Decimal("12.5"))
    with pytest.raises(InvalidAmount):
        set_limit(key=DAY, amount_minor=-1, reason_code="INCIDENT", now=NOW)
