"""Cards from issue to close, authorisations from question to booking; the ledger is right after each step."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cards import queries
from cards.choices import CardKind, CloseReason, FreezeSource
from cards.errors import (
    AlreadyFrozen,
    AuthorizationNotOpen,
    CardClosed,
    CardNotInactive,
    FreezeOfAnother,
    ReferenceReused,
    WalletNotUsable,
)
from cards.models.authorizations import CardAuthorization, CardDecision, CardTransaction, NetworkEvent
from cards.models.issuing import Card
from cards.models.vault import VaultEntry
from cards.operations.authorizing import authorize
from cards.operations.following import expire_due, reverse
from cards.operations.freezing import freeze_card, unfreeze_card
from cards.operations.issuing import activate_card, close_card, issue_card, set_controls
from cards.policies import luhn_digit
from cards.tests.factories import NOW, asked, balance, make_card, pay, told
from flowlet.audit.models import AuditRecord
from flowlet.core.money import Money
from flowlet.events.models import Event
from flowlet.identity.models import Customer
from flowlet.identity.operations import place_restriction
from ledger.models.transactions import Posting
from ledger.operations.queue import post_queued
from ledger.queries.holds import owed_by
from ledger.queries.verification import verify
from ledger.tests.threads import together

pytestmark = pytest.mark.django_db


@pytest.fixture
def card(customer: Customer) -> Iterator[Card]:
    yield make_card(customer)
    assert verify().clean


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


def limits(card: Card, **values: int | None) -> None:
    given = {"per_transaction_minor": None, "day_minor": None, "month_minor": None, **values}
    set_controls(card_id=card.pk, now=NOW, **given)  # type: ignore[arg-type]


def test_a_virtual_card_works_at_once_and_a_physical_one_once_activated(customer: Customer) -> None:
    virtual = make_card(customer)
    physical = make_card(customer, kind=CardKind.PHYSICAL)

    assert pay(virtual, 100).decision.network_code == "00"
    early = pay(physical, 100)
    assert (early.decision.network_code, early.decision.reason) == ("57", "card_inactive")
    activate_card(card_id=physical.pk, now=NOW)
    assert pay(physical, 100).decision.network_code == "00"
    with pytest.raises(CardNotInactive):
        activate_card(card_id=physical.pk, now=NOW)


def test_the_number_is_sealed_valid_and_nowhere_else(card: Card) -> None:
    number = VaultEntry.objects.get(public_id=card.token).pan
    pay(card, 100)

    assert (len(number), number[:4], luhn_digit(number[:-1])) == (16, "9999", number[-1])
    assert (number[:6], number[-4:]) == (card.bin, card.last_four)
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT count(*) FROM "{table}" AS t WHERE t::text LIKE %s', [f"%{number}%"])
            assert cursor.fetchone()[0] == 0, table


def test_no_card_on_a_wallet_that_cannot_pay(customer: Customer) -> None:
    card = make_card(customer)
    place_restriction(
        customer_id=customer.pk, kind="FROZEN", source="OPS", reason_code="COURT_ORDER", now=NOW
    )

    with pytest.raises(WalletNotUsable):
        issue_card(wallet_id=card.wallet_id, kind=CardKind.VIRTUAL, now=NOW)


def test_an_approval_holds_and_a_clearing_books(card: Card) -> None:
    authorization = pay(card, 2_500)
    assert (balance(card).held, balance(card).posted) == (eur(2_500), eur(100_000))

    told(card, "CLEAR", 2_500, of=authorization)

    authorization.refresh_from_db()
    assert (authorization.state, authorization.cleared_minor) == ("CLEARED", 2_500)
    assert (balance(card).held, balance(card).posted) == (eur(0), eur(97_500))
    assert CardTransaction.objects.get().exception_code == ""


def test_the_same_reference_gets_its_first_answer_and_another_message_is_refused(card: Card) -> None:
    question = asked(2_500)
    first = authorize(card_id=card.pk, asked=question, now=NOW)

    assert authorize(card_id=card.pk, asked=question, now=NOW + timedelta(minutes=1)).pk == first.pk
    with pytest.raises(ReferenceReused):
        authorize(card_id=card.pk, asked=asked(2_600, network_reference=question.network_reference), now=NOW)
    assert balance(card).held == eur(2_500)


def test_every_check_runs_and_the_most_telling_reason_is_told(card: Card) -> None:
    limits(card, per_transaction_minor=1_000, day_minor=500)
    freeze_card(card_id=card.pk, source=FreezeSource.OPS, reason_code="SUSPECTED_FRAUD", now=NOW)

    decision = pay(card, 200_000).decision

    assert (decision.outcome, decision.network_code, decision.reason) == ("DECLINED", "62", "card_frozen")
    assert decision.reasons == [
        "card_frozen",
        "transaction_limit",
        "day_limit",
        "insufficient_funds",
    ]
    day = next(check for check in decision.checks if check["name"] == "day_limit")
    assert (day["value"], day["limit"], day["left"], day["passed"]) == (200_000, 500, 500, False)
    assert balance(card).held == eur(0)


def test_too_little_money_is_declined_or_approved_in_part(card: Card) -> None:
    whole = pay(card, 100_001)
    part = pay(card, 100_001, allow_partial=True)

    assert (whole.decision.network_code, whole.decision.reason) == ("51", "insufficient_funds")
    assert (part.decision.network_code, part.decision.approved_minor) == ("10", 100_000)
    assert balance(card).available == eur(0)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"mcc_block": ["7995"]}, "merchant_blocked"),
        ({"mcc_allow": ["5411"]}, "merchant_blocked"),
        ({"country_block": ["RU"]}, "country_blocked"),
        ({"country_allow": ["DE"]}, "country_blocked"),
    ],
)
def test_lists_stop_merchants_and_countries(card: Card, change: dict[str, list[str]], code: str) -> None:
    set_controls(
        card_id=card.pk, per_transaction_minor=None, day_minor=None, month_minor=None, now=NOW, **change
    )

    assert pay(card, 100, mcc="7995", country="RU").decision.reason == code


def test_limits_count_promises_and_give_back_what_was_not_taken(card: Card) -> None:
    limits(card, day_minor=5_000)
    first = pay(card, 3_000)
    assert pay(card, 2_001).decision.reason == "day_limit"

    told(card, "CLEAR", 1_000, of=first)

    left = {limit.name: limit.left for limit in queries.get_limits(card, now=NOW)}
    assert left == {"per_transaction": None, "day": 4_000, "month": None}
    assert pay(card, 4_000).decision.network_code == "00"
    tomorrow = NOW + timedelta(days=1)
    assert pay(card, 5_000, network_time=tomorrow, now=tomorrow).decision.network_code == "00"


def test_the_tiers_limit_stops_a_card_too(customer: Customer) -> None:
    card = make_card(customer, minor=10**8)
    Customer.objects.filter(pk=customer.pk).update(tier="BASIC")

    declined = pay(card, 10**8)

    assert "tier_limit" in declined.decision.reasons


@pytest.mark.parametrize(("kind", "code"), [("FROZEN", "not_permitted"), ("NO_OUT", "under_review")])
def test_a_restricted_customer_pays_nothing_and_the_words_stay_neutral(
    card: Card, kind: str, code: str
) -> None:
    place_restriction(
        customer_id=card.customer_id, kind=kind, source="SCREENING", reason_code="POSSIBLE_MATCH", now=NOW
    )

    decision = pay(card, 100).decision

    assert (decision.network_code, decision.reason) == ("57", code)
    event = Event.objects.filter(type="card_authorization.decided").latest("pk")
    assert event.data["reason"] == code
    assert "SCREENING" not in str(event.data)


def test_several_freezes_at_once_and_nobody_lifts_anothers(card: Card) -> None:
    freeze_card(card_id=card.pk, source=FreezeSource.PARTNER, reason_code="PARTNER_REQUEST", now=NOW)
    with pytest.raises(FreezeOfAnother):
        unfreeze_card(card_id=card.pk, source=FreezeSource.OPS, reason_code="MISTAKE", now=NOW)
    freeze_card(card_id=card.pk, source=FreezeSource.OPS, reason_code="SUSPECTED_FRAUD", now=NOW)
    with pytest.raises(AlreadyFrozen):
        freeze_card(card_id=card.pk, source=FreezeSource.OPS, reason_code="SUSPECTED_FRAUD", now=NOW)

    unfreeze_card(card_id=card.pk, source=FreezeSource.PARTNER, reason_code="CUSTOMER_CONFIRMED", now=NOW)

    assert pay(card, 100).decision.reason == "card_frozen"
    unfreeze_card(card_id=card.pk, source=FreezeSource.OPS, reason_code="CHECK_DONE", now=NOW)
    assert pay(card, 100).decision.network_code == "00"


def test_closed_is_final_and_its_clearings_are_still_booked(card: Card) -> None:
    authorization = pay(card, 1_000)
    close_card(card_id=card.pk, reason=CloseReason.STOLEN, now=NOW)

    assert pay(card, 100).decision.network_code == "43"
    with pytest.raises(CardClosed):
        close_card(card_id=card.pk, reason=CloseReason.LOST, now=NOW)
    told(card, "CLEAR", 1_000, of=authorization)
    assert balance(card).posted == eur(99_000)


def test_an_expired_card_is_declined(card: Card) -> None:
    later = NOW + timedelta(days=366 * 5)

    assert pay(card, 100, network_time=later, now=later).decision.network_code == "54"


def test_a_promise_expires_and_a_later_clearing_is_booked_all_the_same(card: Card) -> None:
    authorization = pay(card, 1_000)
    later = NOW + timedelta(days=10)

    assert expire_due(now=later - timedelta(seconds=1)) == 0
    assert expire_due(now=later) == 1
    assert balance(card).held == eur(0)
    told(card, "CLEAR", 1_000, of=authorization, now=later)

    authorization.refresh_from_db()
    assert (authorization.state, balance(card).posted) == ("CLEARED", eur(99_000))


def test_a_reversal_gives_back_in_part_and_whole(card: Card) -> None:
    authorization = pay(card, 1_000)

    reverse(authorization_id=authorization.pk, reference="r1", amount=eur(400), now=NOW)
    reverse(authorization_id=authorization.pk, reference="r1", amount=eur(400), now=NOW)
    assert balance(card).held == eur(600)
    whole = reverse(authorization_id=authorization.pk, reference="r2", amount=None, now=NOW)

    assert (whole.state, balance(card).held) == ("REVERSED", eur(0))
    with pytest.raises(AuthorizationNotOpen):
        reverse(authorization_id=authorization.pk, reference="r3", amount=None, now=NOW)


def test_a_clearing_beyond_the_balance_is_owed_and_goes_to_the_exceptions(card: Card) -> None:
    authorization = pay(card, 90_000)

    told(card, "CLEAR", 120_000, of=authorization)

    assert (balance(card).posted, owed_by(card.wallet.account_id)) == (eur(0), eur(20_000))
    assert CardTransaction.objects.get().exception_code == "OVER_AUTHORIZED"


def test_a_clearing_without_authorisation_and_a_refund_without_purchase_are_booked_and_flagged(
    card: Card,
) -> None:
    told(card, "CLEAR", 1_000)
    told(card, "REFUND", 300)

    codes = CardTransaction.objects.order_by("pk").values_list("exception_code", flat=True)
    assert list(codes) == ["NO_AUTHORIZATION", "REFUND_UNMATCHED"]
    assert balance(card).posted == eur(99_300)


def test_a_clearing_before_its_authorisation_waits_for_it(card: Card) -> None:
    question = asked(1_000)
    told(card, "CLEAR", 1_000, network_reference=question.network_reference)

    authorization = authorize(card_id=card.pk, asked=question, now=NOW)

    assert (authorization.state, balance(card).held) == ("CLEARED", eur(0))
    assert balance(card).posted == eur(99_000)


def test_a_message_taken_twice_changes_nothing_and_another_content_is_refused(card: Card) -> None:
    authorization = pay(card, 1_000)
    told(card, "CLEAR", 400, of=authorization, reference="arn", final=False)
    told(card, "CLEAR", 400, of=authorization, reference="arn", final=False)

    with pytest.raises(ReferenceReused):
        told(card, "CLEAR", 401, of=authorization, reference="arn", final=False)

    assert (balance(card).posted, balance(card).held) == (eur(99_600), eur(600))


def test_each_act_is_audited_with_its_reason(card: Card) -> None:
    freeze_card(card_id=card.pk, source=FreezeSource.OPS, reason_code="SUSPECTED_FRAUD", note="x", now=NOW)
    pay(card, 100)

    verbs = set(AuditRecord.objects.filter(customer=card.customer.public_id).values_list("action", flat=True))
    assert {"card.issue", "card.freeze", "card_authorization.decide"} <= verbs


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE cards_card SET status = 'ACTIVE', closed_at = NULL, close_reason = '' WHERE status = 'CLOSED'",
        "UPDATE cards_card SET wallet_id = wallet_id + 1",
        "DELETE FROM cards_card",
        "UPDATE cards_cardfreeze SET source = 'PARTNER'",
        "DELETE FROM cards_cardfreeze",
        "UPDATE cards_controlset SET day_minor = 10",
        "UPDATE cards_networkevent SET amount_minor = 1",
        "DELETE FROM cards_networkevent",
        "UPDATE cards_carddecision SET outcome = 'APPROVED'",
        "UPDATE cards_cardtransaction SET amount_minor = 1",
        "UPDATE cards_cardauthorization SET requested_minor = 1",
        "UPDATE cards_cardauthorization SET authorized_minor = authorized_minor + 5 WHERE state = 'OPEN'",
        "UPDATE cards_cardauthorization SET state = 'REVERSED' WHERE state = 'OPEN'",
        "UPDATE cards_cardauthorization SET state = 'OPEN' WHERE state = 'DECLINED'",
        "UPDATE cards_spendcounter SET amount_minor = -1",
        "UPDATE cards_vaultentry SET created_at = now()",
    ],
)
def test_raw_sql_changes_nothing_that_was_decided(card: Card, sql: str) -> None:
    limits(card, day_minor=5_000)
    pay(card, 1_000)
    pay(card, 9_000)
    told(card, "CLEAR", 10)
    freeze_card(card_id=card.pk, source=FreezeSource.OPS, reason_code="SUSPECTED_FRAUD", now=NOW)
    close_card(card_id=card.pk, reason=CloseReason.LOST, now=NOW)

    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


@pytest.mark.django_db(transaction=True)
def test_fifty_authorisations_at_once_promise_no_more_than_there_is(customer: Customer) -> None:
    card = make_card(customer, minor=10_000)

    answers = together(*(lambda: pay(card, 450) for _ in range(50)))

    outcomes = [answer.decision.outcome for answer in answers if isinstance(answer, CardAuthorization)]
    assert len(outcomes) == 50
    assert outcomes.count("APPROVED") == 22
    assert balance(card).held == eur(22 * 450)
    assert CardDecision.objects.filter(reason="insufficient_funds").count() == 28
    assert verify().clean


MESSAGES = st.lists(
    st.tuples(
        st.sampled_from(["CLEAR", "CLEAR", "REVERSE", "REFUND"]),
        st.integers(1, 900),
        st.booleans(),
    ),
    max_size=6,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(messages=MESSAGES, seed=st.randoms(use_true_random=False))
def test_in_any_order_and_with_repeats_hold_and_books_are_the_same(
    customer: Customer, messages: list[tuple[str, int, bool]], seed: object
) -> None:
    found = []
    for mixed in (False, True):
        card = make_card(customer, minor=20_000)
        authorization = pay(card, 1_000)
        rows = [
            {"kind": kind, "minor": minor, "final": final, "reference": f"{card.pk}-{number}"}
            for number, (kind, minor, final) in enumerate(messages)
        ]
        if mixed:
            rows += rows[:2]
            seed.shuffle(rows)  # type: ignore[attr-defined]
        for row in rows:
            told(card, of=authorization, **row)  # type: ignore[arg-type]
        authorization.refresh_from_db()
        after = balance(card)
        found.append((authorization.state, authorization.counted_minor, after.posted, after.held))
        booked = CardTransaction.objects.filter(card=card).count()
        assert booked == sum(kind in ("CLEAR", "REFUND") for kind, *_ in messages)

    assert found[0] == found[1]


def test_a_message_names_a_network_event_once(card: Card) -> None:
    told(card, "CLEAR", 10, reference="once")
    told(card, "CLEAR", 10, reference="once")

    assert NetworkEvent.objects.filter(reference="once").count() == 1


def test_a_clearing_earns_interchange_and_a_refund_gives_it_back(customer: Customer) -> None:
    card = make_card(customer)
    row = pay(card, 10_000)
    told(card, "CLEAR", 10_000, of=row)
    told(card, "REFUND", 2_500, of=row)

    post_queued(now=NOW)

    earned = Posting.objects.filter(account__chart_account__code="INTERCHANGE_INCOME").order_by("pk")
    assert list(earned.values_list("amount", flat=True)) == [-20, 5]
    assert verify().clean
