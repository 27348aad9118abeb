"""The simulated world: same seed, same answers; restarts where it was; misbehaves on request; never in live mode."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
import requests
from django.core.exceptions import ImproperlyConfigured

from flowlet.core.money import Money
from flowlet.core.outcomes import Outcome
from flowlet.integrations.plaid import client as plaid
from flowlet.integrations.plaid import transfers
from flowlet.integrations.simulation.server import LiveModeRefused, Simulation
from flowlet.integrations.stripe import client as stripe
from flowlet.integrations.stripe.units import UnsupportedAmount, from_stripe, to_stripe
from flowlet.integrations.vendors import check_live

PAY = {"amount": "2500", "currency": "eur", "payment_method": "pm_card_visa", "confirm": "true"}


def _post(simulation, path, form, key=""):
    headers = {"Authorization": "Bearer sk_test_simulator"} | ({"Idempotency-Key": key} if key else {})
    return requests.post(simulation.urls()["stripe"] + path, data=form, headers=headers, timeout=5)


def _control(simulation, command, body=None):
    return requests.post(
        f"{simulation.urls()['stripe']}/_control/{command}", json=body or {}, timeout=5
    ).json()


def _pay(reference="pay_1", method="pm_card_visa", minor=2500):
    return stripe.create_intent(amount=Money(minor, "EUR"), our_reference=reference, payment_method=method)


def test_the_same_seed_gives_the_same_ids(vendors):
    first = _post(vendors, "/v1/payment_intents", PAY).json()["id"]
    _control(vendors, "reset", {"seed": "tests"})
    second = _post(vendors, "/v1/payment_intents", PAY).json()["id"]
    _control(vendors, "reset", {"seed": "others"})
    other = _post(vendors, "/v1/payment_intents", PAY).json()["id"]

    assert first == second != other


def test_one_key_means_one_payment_and_other_parameters_are_refused(vendors):
    first = _post(vendors, "/v1/payment_intents", PAY, key="pay_1")
    again = _post(vendors, "/v1/payment_intents", PAY, key="pay_1")
    other = _post(vendors, "/v1/payment_intents", {**PAY, "amount": "2600"}, key="pay_1")

    assert first.json() == again.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (other.status_code, other.json()["error"]["type"]) == (400, "idempotency_error")
    assert len(vendors.vendors["stripe"].movements) == 1


def test_a_stored_500_is_replayed_for_ever_while_the_money_has_moved(vendors):
    plan = {"match": {"path": "/v1/payment_intents"}, "do": "error_after_effect"}
    _control(vendors, "faults", {"plans": [plan]})
    first = _post(vendors, "/v1/payment_intents", PAY, key="pay_1")
    _control(vendors, "faults", {"plans": []})

    again = _post(vendors, "/v1/payment_intents", PAY, key="pay_1")

    assert (first.status_code, again.status_code) == (500, 500)
    assert _control(vendors, "books")["stripe"]["balance"] == {"eur": 2500 - 62}


def test_a_plan_strikes_the_calls_it_names_and_a_bad_plan_is_refused(vendors):
    plan = {"match": {"path": "/v1/refunds", "nth": [2]}, "do": "too_many"}
    _control(vendors, "faults", {"plans": [plan]})
    intent = _post(vendors, "/v1/payment_intents", PAY).json()["id"]
    form = {"payment_intent": intent, "amount": "100"}

    statuses = [_post(vendors, "/v1/refunds", form).status_code for _ in range(3)]

    assert statuses == [200, 429, 200]
    assert "error" in _control(vendors, "faults", {"plans": [{"do": "explode"}]})


def test_a_share_of_calls_fails_and_the_same_ones_for_the_same_seed(vendors):
    def run():
        _control(vendors, "reset", {"seed": "tests"})
        plan = {"match": {"path": "/v1/payment_intents"}, "do": "error_before_effect", "share": 0.3}
        _control(vendors, "faults", {"plans": [plan]})
        return [_post(vendors, "/v1/payment_intents", PAY).status_code for _ in range(30)]

    first = run()

    assert first == run()
    assert 2 <= first.count(500) <= 18


@pytest.mark.parametrize(
    ("do", "sent", "pending", "lost"),
    [("twice", 4, 0, 0), ("lost", 2, 0, 1), ("late", 2, 1, 0), ("reordered", 3, 0, 0), ("forged", 4, 0, 0)],
)
def test_webhooks_go_wrong_as_planned(vendors, do, sent, pending, lost):
    match = {"vendor": "stripe", "webhook": "payment_intent.succeeded"}
    _control(vendors, "faults", {"plans": [{"match": match, "do": do, "seconds": 600}]})
    _post(vendors, "/v1/payment_intents", PAY)

    waiting = vendors.outbox.pending
    now = vendors.world.now()

    assert len([one for one in waiting if one.due <= now]) == sent
    assert len([one for one in waiting if one.due > now]) == pending
    assert len(vendors.outbox.lost) == lost
    if do == "reordered":
        assert waiting[0].type == "payment_intent.succeeded"
    if do == "forged":
        assert [one.forged for one in waiting].count(True) == 1


def test_webhooks_never_leave_for_strange_hosts(vendors):
    assert vendors.outbox._post("http://192.0.2.1/hooks", b"", {}) == 0
    assert vendors.outbox._post("file:///etc/hostname", b"", {}) == 0


def test_a_failed_delivery_is_tried_again_later(vendors):
    _post(vendors, "/v1/payment_intents", PAY)
    for delivery in vendors.outbox.pending:
        delivery.url = "http://127.0.0.1:9/hooks/stripe/"

    tried = _control(vendors, "deliver")["sent"]
    at_once = _control(vendors, "deliver")["sent"]
    _control(vendors, "clock", {"advance_s": 2})

    assert (tried, at_once, _control(vendors, "deliver")["sent"]) == (3, 0, 3)


def test_a_restarted_simulator_is_where_it_was(tmp_path):
    journal = tmp_path / "journal"
    before = Simulation(automatic=False, journal=journal)
    before.start()
    intent = _post(before, "/v1/payment_intents", PAY, key="pay_1").json()["id"]
    _post(before, "/v1/refunds", {"payment_intent": intent, "amount": "300"})
    books = _control(before, "books")["stripe"]
    before.stop()
    with journal.open("a") as file:
        file.write('{"cut by a crash')

    after = Simulation(automatic=False, journal=journal)
    after.start()
    again = _post(after, "/v1/payment_intents", PAY, key="pay_1").json()["id"]
    rebuilt = _control(after, "books")["stripe"]
    after.stop()

    assert again == intent
    assert rebuilt["balance"] == books["balance"]
    assert list(rebuilt["refunds"]) == list(books["refunds"])
    assert "sk_test" not in journal.read_text()


def test_simulators_do_not_start_in_live_mode(monkeypatch):
    monkeypatch.setenv("FLOWLET_MODE", "live")

    with pytest.raises(LiveModeRefused):
        Simulation()
    run = subprocess.run(
        [sys.executable, "-m", "flowlet.integrations.simulation", "--port", "0"],
        env=os.environ,
        capture_output=True,
        check=False,
    )
    assert run.returncode == 2


def test_the_program_starts_says_where_and_ends_when_told(monkeypatch):
    monkeypatch.delenv("FLOWLET_MODE", raising=False)
    command = [sys.executable, "-m", "flowlet.integrations.simulation", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        urls = dict(program.stdout.readline().split() for _ in range(4))
        books = requests.get(f"{urls['plaid']}/_control/books", timeout=5).json()
        program.terminate()
        code = program.wait(10)

    assert list(urls) == ["stripe", "plaid", "twilio", "openai"]
    assert books["plaid"]["transfers"] == {}
    assert code == 0


def test_live_mode_refuses_simulators_and_missing_keys(vendors, settings):
    settings.VENDORS_OFF = []

    with pytest.raises(ImproperlyConfigured) as caught:
        check_live()

    for name in ("stripe", "plaid", "twilio", "openai"):
        assert f"{name} must be called at its own address" in str(caught.value)
        assert f"{name} has no key" in str(caught.value)
    assert "sk_test" not in str(caught.value)


def test_live_mode_accepts_real_addresses_and_keys(vendors, settings):
    settings.VENDORS_OFF = []
    for block in settings.VENDORS.values():
        block.update(base_url="", key="a real one", secrets=["a real one"])
    settings.VENDORS["openai"]["key"] = ""  # answers from templates then

    check_live()


@pytest.mark.django_db
def test_refunds_never_exceed_what_was_collected(vendors):
    intent = _pay().reference

    def refund(number, minor):
        return stripe.create_refund(intent=intent, amount=Money(minor, "EUR"), our_reference=f"ref_{number}")

    answers = [refund(1, 1500), refund(2, 1500), refund(3, 1000), refund(4, 1)]

    assert [answer.outcome.value for answer in answers] == ["DONE", "REFUSED", "DONE", "REFUSED"]
    assert answers[3].code == "charge_already_refunded"
    since = datetime.now(tz=UTC) - timedelta(minutes=5)
    moved = stripe.list_movements(since=since, until=since + timedelta(hours=1)).value
    assert sum(one.net.minor for one in moved) == -62


@pytest.mark.django_db
def test_a_refund_may_fail_after_it_seemed_done(vendors):
    intent = _pay(method="pm_card_refundFail").reference
    refund = stripe.create_refund(intent=intent, amount=Money(500, "EUR"), our_reference="ref_1")

    _control(vendors, "clock", {"advance_s": 61})

    later = stripe.get_refund(refund=refund.reference)
    assert (refund.outcome, later.outcome, later.code) == (
        Outcome.DONE,
        Outcome.REFUSED,
        "lost_or_stolen_card",
    )
    assert _control(vendors, "books")["stripe"]["balance"] == {"eur": 2500 - 62}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("method", "code"),
    [
        ("pm_card_chargeDeclined", "generic_decline"),
        ("pm_card_chargeDeclinedInsufficientFunds", "insufficient_funds"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card"),
        ("pm_card_visa_chargeDeclinedLostCard", "lost_card"),
    ],
)
def test_declines_carry_their_code_and_the_intent(vendors, method, code):
    answer = _pay(method=method)
    looked_up = stripe.get_intent(intent=answer.reference)

    assert (answer.outcome, answer.code) == (Outcome.REFUSED, code)
    assert (looked_up.outcome, looked_up.code) == (Outcome.REFUSED, code)


@pytest.mark.django_db
def test_a_payer_who_must_authenticate_can_and_a_waiting_intent_can_be_cancelled(vendors):
    waiting, dropped = (
        _pay("pay_1", "pm_card_authenticationRequired"),
        _pay("pay_2", "pm_card_authenticationRequired"),
    )

    done = stripe.confirm_intent(intent=waiting.reference, our_reference="pay_1:confirm")
    gone = stripe.cancel_intent(intent=dropped.reference, our_reference="pay_2:cancel")

    assert (waiting.outcome, waiting.value.needs_action) == (Outcome.ACCEPTED, True)
    assert done.outcome is Outcome.DONE
    assert (gone.outcome, gone.value.status) == (Outcome.DONE, "canceled")
    assert stripe.get_intent(intent=dropped.reference).outcome is Outcome.REFUSED


@pytest.mark.django_db
def test_a_bank_is_linked_read_and_drawn_from(vendors):
    public = plaid.create_sandbox_public_token(institution="ins_109508").value
    token = plaid.exchange_public_token(public_token=public, our_reference="lnk_1").value.access_token
    account = plaid.get_accounts(access_token=token).value[0]
    numbers = plaid.get_numbers(access_token=token).value
    scores = plaid.match_identity(access_token=token, legal_name="Alberta Bobbeth Charleson").value

    def authorize(minor, reference):
        return transfers.authorize_transfer(
            access_token=token,
            account_id=account.id,
            direction="debit",
            amount=Money(minor, "USD"),
            legal_name="Alberta Charleson",
            our_reference=reference,
        )

    declined, approved, same = (
        authorize(300_000, "pay_1"),
        authorize(10_000, "pay_2"),
        authorize(10_000, "pay_2"),
    )
    made = transfers.create_transfer(
        access_token=token,
        account_id=account.id,
        authorization=approved.reference,
        description="TOPUP",
        our_reference="pay_2",
    )
    _control(vendors, "clock", {"advance_s": 10})
    kinds = [event.kind for event in transfers.sync_events(after_id=0).value]

    assert plaid.exchange_public_token(public_token=public, our_reference="x").code == "invalid_public_token"
    assert (account.available, account.currency) == (Money(250_000, "USD"), "USD")
    assert {one.scheme for one in numbers} == {"ach"}
    assert scores[account.id] == 100
    assert (declined.outcome, declined.code) == (Outcome.REFUSED, "nsf")
    assert approved.reference == same.reference
    assert made.outcome is Outcome.ACCEPTED
    assert kinds == ["pending", "posted", "settled", "funds_available"]
    assert transfers.get_transfer(transfer=made.reference).outcome is Outcome.DONE


@pytest.mark.parametrize(
    ("money", "units"),
    [
        (Money(1250, "EUR"), (1250, "eur")),
        (Money(1250, "JPY"), (1250, "jpy")),
        (Money(5000, "UGX"), (500_000, "ugx")),
        (Money(1250, "KWD"), (1250, "kwd")),
    ],
)
def test_amounts_go_over_in_stripes_units_and_come_back(money, units):
    assert to_stripe(money) == units
    assert from_stripe(*units) == money


def test_amounts_that_stripe_cannot_carry_are_refused():
    for money in (Money(1255, "KWD"),):
        with pytest.raises(UnsupportedAmount):
            to_stripe(money)
    with pytest.raises(UnsupportedAmount):
        from_stripe(100, "zzz")


def test_the_books_are_plain_json(vendors):
    _post(vendors, "/v1/payment_intents", PAY)

    assert json.loads(json.dumps(_control(vendors, "books")))["stripe"]["intents"]
