"""Payments that wait: held for a look, or for their payer's code; what ends the waiting, and who wins a race."""

import uuid
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import DatabaseError
from django.urls import reverse

from flowlet.audit.models import AuditRecord
from flowlet.audit.trail import open_note
from flowlet.backoffice.tests.conftest import log_in
from flowlet.core import clock
from flowlet.core.errors import InvariantBroken, NotFound
from flowlet.core.money import Money
from flowlet.events.models import Event
from flowlet.gateway.tests.factories import Api, make_client
from flowlet.identity.operations import place_restriction
from fraud.choices import Action
from fraud.models import Decision, HistoryEvent, Label
from ledger.errors import InsufficientFunds
from ledger.operations.posting import Draft, Leg, post
from payments.deciding import (
    CONFIRM_WITHIN,
    cancel_payment,
    cancel_unconfirmed,
    confirm_payment,
    refuse_payment,
    release_payment,
)
from payments.errors import WrongState
from payments.judging import Verdict, ask_fraud, base_minor_of
from payments.models import Payment
from payments.operations import create_payment
from payments.tests.outside import held
from wallets.errors import MoneyOutBlocked, WalletFrozen
from wallets.limits import limits_of
from wallets.operations.wallets import freeze_wallet
from wallets.tests.factories import NOW, holds, make_customer, make_wallet

pytestmark = pytest.mark.django_db


@pytest.fixture
def payer(customer):
    return make_wallet(customer, balance=10_000)


@pytest.fixture
def payee(partner):
    return make_wallet(make_customer(partner, "Ola Nilsen"))


def pay(payer, payee, minor=2_500, **given):
    return create_payment(
        partner_id=payer.partner_id,
        payer_wallet_id=payer.public_id,
        payee_wallet_id=payee.public_id,
        amount=Money(minor, "EUR"),
        now=given.pop("now", NOW),
        **given,
    )


def says(action):
    """Return a fraud check that has decided already."""
    return lambda _request, _now: Verdict(action)


def told(payment):
    return list(
        Event.objects.filter(object_id=payment.public_id).order_by("pk").values_list("type", flat=True)
    )


def used_out(wallet):
    found = limits_of(wallet.customer, currencies=["EUR"], now=NOW)
    return {limit.interval: limit.used.minor for limit in found if limit.kind == "OUT"}


def page(name, *args):
    return reverse(f"admin:{name}", args=args)


def press(client, action, payment, **values):
    href = page("do", action, payment.public_id)
    version = client.get(href).context["asked"].version
    return client.post(href, {"form_id": str(uuid.uuid4()), "version": version, **values})


def test_a_usual_payment_is_judged_and_passes(payer, payee):
    payment = pay(payer, payee)

    decision = Decision.objects.get(public_id=payment.fraud_decision)
    assert (payment.status, decision.action) == ("COMPLETED", "ALLOW")
    assert (decision.source_id, decision.customer) == (payment.public_id, payer.customer.public_id)
    assert (decision.amount_minor, decision.partner_id) == (2_500, payer.partner_id)


def test_a_payment_for_review_is_held_with_its_money_and_moves_nothing(payer, payee):
    payment = pay(payer, payee, sandbox_risk="elevated")

    assert (payment.status, payment.transaction_id) == ("HELD", None)
    assert (holds(payer), held(payer), holds(payee)) == (10_000, 2_500, 0)
    assert pay(payer, payee, 7_501).refusal_code == "insufficient_funds"
    assert told(payment) == ["payment.under_review"]
    assert Event.objects.get(object_id=payment.public_id).data["status"] == "under_review"


def test_a_payment_that_is_declined_is_refused_in_neutral_words_and_stays_in_frauds_history(payer, payee):
    payment = pay(payer, payee, sandbox_risk="highest")

    assert (payment.status, payment.refusal_code) == ("REFUSED", "payment_declined")
    assert payment.refusal_detail == "This payment was declined."
    assert (holds(payer), held(payer)) == (10_000, 0)
    assert HistoryEvent.objects.filter(source_id=payment.public_id).exists()
    assert Decision.objects.get(public_id=payment.fraud_decision).action == "DECLINE"
    assert used_out(payer)["DAY"] == 0


def test_what_is_refused_before_fraud_is_asked_asks_nobody(payer, payee):
    freeze_wallet(wallet_id=payer.pk, reason_code="COURT_ORDER", now=NOW)

    payment = pay(payer, payee, fraud_check=lambda *_: pytest.fail("fraud was asked"))

    assert (payment.refusal_code, payment.fraud_decision) == ("wallet_frozen", "")


def test_a_check_that_breaks_holds_the_payment_and_never_lets_it_pass(payer, payee):
    def broken(request, now):
        return ask_fraud(replace(request, amount=None), now)  # nothing in fraud can work with that

    payment = pay(payer, payee, 100, fraud_check=broken)

    assert (payment.status, payment.fraud_decision) == ("HELD", "")
    assert (held(payer), holds(payee)) == (100, 0)


def test_a_database_that_fails_under_the_check_moves_and_keeps_nothing(payer, payee):
    def lost(_request, _now):
        raise DatabaseError("gone")

    with pytest.raises(DatabaseError):
        pay(payer, payee, fraud_check=lost)

    assert (Payment.objects.count(), holds(payer)) == (0, 10_000)


def test_history_is_loaded_without_a_judge_but_never_in_live_mode(payer, payee, settings):
    loaded = pay(payer, payee, fraud_check=None)
    settings.FLOWLET_MODE = "live"

    with pytest.raises(InvariantBroken):
        pay(payer, payee, fraud_check=None)

    assert (loaded.status, loaded.fraud_decision, Decision.objects.count()) == ("COMPLETED", "", 0)


def test_the_same_key_returns_the_held_payment_and_holds_once(payer, payee):
    first = pay(payer, payee, sandbox_risk="elevated", idempotency_key="k")
    again = pay(payer, payee, idempotency_key="k")

    assert (first.pk, again.status, held(payer)) == (again.pk, "HELD", 2_500)


def test_a_released_payment_moves_the_held_money_and_teaches_the_models(payer, payee):
    payment = pay(payer, payee, sandbox_risk="elevated")

    release_payment(
        payment_id=payment.public_id, reason_code="CUSTOMER_CONFIRMED", note="Called back", now=NOW
    )

    payment.refresh_from_db()
    assert (payment.status, holds(payer), held(payer), holds(payee)) == ("COMPLETED", 7_500, 0, 2_500)
    assert told(payment) == ["payment.under_review", "payment.completed"]
    record = AuditRecord.objects.get(action="payment.release")
    note = open_note(public_id=record.note.public_id, ciphertext=record.note.ciphertext)
    assert (record.reason_code, record.outcome, note) == ("CUSTOMER_CONFIRMED", "DONE", "Called back")
    assert Label.objects.get().verdict == "GENUINE"


def test_a_refused_payment_gives_money_and_limit_back(payer, payee):
    payment = pay(payer, payee, sandbox_risk="elevated")
    before = used_out(payer)["DAY"]

    refuse_payment(payment_id=payment.public_id, reason_code="FRAUD", now=NOW)

    payment.refresh_from_db()
    assert (payment.status, payment.refusal_code) == ("REFUSED", "payment_declined")
    assert (holds(payer), held(payer), before, used_out(payer)["DAY"]) == (10_000, 0, 2_500, 0)
    assert told(payment) == ["payment.under_review", "payment.refused"]
    assert Label.objects.get().verdict == "FRAUD"


@pytest.mark.parametrize("end", [release_payment, refuse_payment])
def test_only_a_held_payment_is_decided_and_only_once(payer, payee, end):
    payment, done = pay(payer, payee, sandbox_risk="elevated"), pay(payer, payee)
    refuse_payment(payment_id=payment.public_id, reason_code="FRAUD", now=NOW)

    for public_id in (payment.public_id, done.public_id):
        with pytest.raises(WrongState):
            end(payment_id=public_id, reason_code="FRAUD", now=NOW)
    with pytest.raises(NotFound):
        end(payment_id="pay_nobody", reason_code="FRAUD", now=NOW)


def test_what_binds_the_payer_meanwhile_keeps_a_payment_held(payer, payee):
    payment = pay(payer, payee, sandbox_risk="elevated")
    place_restriction(
        customer_id=payer.customer_id, kind="NO_OUT", source="SCREENING", reason_code="X", now=NOW
    )

    with pytest.raises(MoneyOutBlocked):
        release_payment(payment_id=payment.public_id, reason_code="CUSTOMER_CONFIRMED", now=NOW)

    payment.refresh_from_db()
    assert (payment.status, held(payer)) == ("HELD", 2_500)


def test_a_frozen_payees_wallet_keeps_a_payment_held_until_it_is_open(payer, payee):
    payment = pay(payer, payee, sandbox_risk="elevated")
    freeze_wallet(wallet_id=payee.pk, reason_code="COURT_ORDER", now=NOW)

    with pytest.raises(WalletFrozen):
        release_payment(payment_id=payment.public_id, reason_code="CUSTOMER_CONFIRMED", now=NOW)

    assert Payment.objects.get(pk=payment.pk).status == "HELD"


def test_a_step_up_waits_for_its_payer_with_nothing_on_hold_and_is_carried_out_by_the_code(payer, payee):
    payment = pay(payer, payee, fraud_check=says(Action.STEP_UP))
    waiting = (payment.status, holds(payer), held(payer))

    confirm_payment(payment_id=payment.public_id, now=NOW + timedelta(minutes=2))

    payment.refresh_from_db()
    assert waiting == ("REQUIRES_ACTION", 10_000, 0)
    assert (payment.status, holds(payee)) == ("COMPLETED", 2_500)
    assert told(payment) == ["payment.requires_action", "payment.completed"]
    with pytest.raises(WrongState):
        confirm_payment(payment_id=payment.public_id, now=NOW)


def test_a_confirmed_payment_without_money_any_more_fails_and_gives_its_limit_back(payer, payee):
    payment = pay(payer, payee, 9_000, fraud_check=says(Action.STEP_UP))
    pay(payer, payee, 5_000, fraud_check=None)

    confirm_payment(payment_id=payment.public_id, now=NOW)

    payment.refresh_from_db()
    assert (payment.status, payment.refusal_code) == ("FAILED", "insufficient_funds")
    assert (holds(payer), used_out(payer)["DAY"]) == (5_000, 5_000)


def test_a_code_that_comes_too_late_cancels(payer, payee):
    late = NOW + CONFIRM_WITHIN + timedelta(seconds=1)
    confirmed, forgotten, other = (
        pay(payer, payee, 100 + n, fraud_check=says(Action.STEP_UP)) for n in range(3)
    )

    confirm_payment(payment_id=confirmed.public_id, now=late)
    early, count, again = (cancel_unconfirmed(now=at) for at in (NOW, late, late))

    assert (early, count, again) == (0, 2, 0)
    for payment in (confirmed, forgotten, other):
        payment.refresh_from_db()
        assert (payment.status, payment.refusal_code) == ("CANCELED", "not_confirmed")
    assert (holds(payer), used_out(payer)["DAY"]) == (10_000, 0)


def test_a_partner_cancels_what_waits_and_nothing_else(partner, other_partner, payer, payee):
    waiting = pay(payer, payee, sandbox_risk="elevated", now=clock.now())
    done = pay(payer, payee, now=clock.now())
    api, others = Api(make_client(partner)), Api(make_client(other_partner))

    foreign = others.post(f"payments/{waiting.public_id}/cancel", {}, key="k-0")
    canceled = api.post(f"payments/{waiting.public_id}/cancel", {}, key="k-1")
    again = api.post(f"payments/{waiting.public_id}/cancel", {}, key="k-2")
    refused = api.post(f"payments/{done.public_id}/cancel", {}, key="k-3")

    assert (foreign.status_code, canceled.status_code, again.status_code) == (404, 200, 200)
    assert (canceled.json()["status"], canceled.json()["failure"]["code"]) == ("canceled", "canceled")
    assert (refused.status_code, refused.json()["code"]) == (409, "wrong_state")
    assert (held(payer), holds(payee)) == (0, 2_500)


def test_a_payment_can_be_canceled_only_by_its_own_partner(payer, payee, other_partner):
    payment = pay(payer, payee, sandbox_risk="elevated")

    with pytest.raises(NotFound):
        cancel_payment(partner_id=other_partner.pk, payment_id=payment.public_id, now=NOW)


def test_partners_see_a_review_and_a_decline_and_nothing_of_the_reasons(partner, payer, payee):
    api = Api(make_client(partner))
    body = {
        "payer_wallet": payer.public_id,
        "payee_wallet": payee.public_id,
        "amount": 2_500,
        "currency": "EUR",
    }

    reviewed = api.post("payments", {**body, "sandbox_risk": "elevated"}, key="k-1")
    declined = api.post("payments", {**body, "sandbox_risk": "highest"}, key="k-2")

    shown = reviewed.json()
    assert (reviewed.status_code, shown["status"], shown["iso_status"]) == (201, "under_review", "PDNG")
    assert [row["id"] for row in api.get("payments?status=under_review").json()["data"]] == [shown["id"]]
    events = api.get(f"payments/{shown['id']}/events").json()["data"]
    assert [(row["type"], row["sequence"]) for row in events] == [("payment.under_review", 1)]
    problem = declined.json()
    assert (declined.status_code, problem["code"], problem["title"]) == (
        422,
        "payment_declined",
        "Payment declined",
    )
    assert api.get(f"payments/{problem['object']}").json()["status"] == "refused"
    for answer in (reviewed, declined, api.get(f"payments/{shown['id']}")):
        assert "fraud" not in answer.content.decode().lower()


def test_staff_find_held_payments_with_the_reasons_and_decide(
    ops, payer, payee, django_assert_max_num_queries
):
    released, refused = (pay(payer, payee, minor, sandbox_risk="elevated") for minor in (1_500, 1_600))
    client = log_in(ops)

    queue = client.get(page("payments_payment_changelist"), {"view": "held"}).content.decode()
    with django_assert_max_num_queries(20):
        shown = client.get(page("payments_payment_change", released.public_id)).content.decode()
    answers = (
        press(client, "payment.release", released, reason="CUSTOMER_CONFIRMED", note="Called back"),
        press(client, "payment.refuse", refused, reason="FRAUD"),
    )
    late = client.get(page("do", "payment.release", refused.public_id))

    assert released.public_id in queue
    assert refused.public_id in queue
    assert "Fraud check" in shown
    assert "Outcome asked for in the sandbox" in shown
    assert "Hold for review" in shown
    assert [answer.status_code for answer in answers] == [303, 303]
    assert sorted(Payment.objects.values_list("status", flat=True)) == ["COMPLETED", "REFUSED"]
    assert AuditRecord.objects.get(action="payment.release").actor_kind == "STAFF"
    assert "not possible" in late.content.decode()
    assert "Held payments" in client.get(page("index")).content.decode()


def test_who_may_not_decide_has_no_button_and_is_refused(finance, payer, payee):
    payment, client = pay(payer, payee, sandbox_risk="elevated"), log_in(finance)

    shown = client.get(page("payments_payment_change", payment.public_id)).content.decode()
    answer = client.get(page("do", "payment.release", payment.public_id))

    assert "Release…" not in shown
    assert answer.status_code == 403
    assert Payment.objects.get().status == "HELD"


@pytest.mark.parametrize(
    ("minor", "currency", "base"),
    [(1_234, "EUR", 1_234), (1_000, "JPY", 620), (1_000, "KWD", 300), (108, "USD", 100), (5, "MNT", None)],
)
def test_amounts_are_judged_in_euros_whatever_their_currency(minor, currency, base):
    assert base_minor_of(Money(minor, currency)) == base


def test_a_hold_of_a_payment_is_not_spent_by_anything_else(payer, payee):
    pay(payer, payee, 10_000, sandbox_risk="elevated")

    draft = Draft(
        kind="P2P",
        source="test",
        source_key="k",
        effective_date=NOW.date(),
        legs=(Leg(payer.account_id, Money(1, "EUR")), Leg(payee.account_id, Money(-1, "EUR"))),
    )
    with pytest.raises(InsufficientFunds):
        post(draft=draft, now=NOW)
