"""What a careless or hostile network may send: strangers' references, late increments; the books stay right."""

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cards.errors import AuthorizationNotOpen, ReferenceReused
from cards.models.authorizations import CardAuthorization, CardTransaction
from cards.models.issuing import SpendCounter
from cards.operations.following import expire, reverse
from cards.tests.factories import NOW, balance, make_card, pay, told
from flowlet.core.money import Money
from flowlet.identity.models import Customer, Partner
from ledger.errors import InsufficientFunds
from ledger.queries.verification import verify
from wallets.tests.factories import make_customer

pytestmark = pytest.mark.django_db


def at_once() -> None:
    """Ask now what the database asks at commit."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


@pytest.mark.parametrize("kind", ["CLEAR", "REVERSE", "REFUND", "EXPIRE"])
def test_a_message_about_one_card_never_moves_the_promise_of_another(
    customer: Customer, other_partner: Partner, kind: str
) -> None:
    card = make_card(customer)
    stranger = make_card(make_customer(other_partner, "Eli Moen"))
    theirs = pay(stranger, 5_000)

    told(card, kind, 0 if kind == "EXPIRE" else 2_000, network_reference=theirs.network_reference)

    theirs.refresh_from_db()
    at_once()
    assert (theirs.state, theirs.authorized_minor, theirs.cleared_minor) == ("OPEN", 5_000, 0)
    assert (balance(stranger).held, balance(stranger).posted) == (eur(5_000), eur(100_000))
    codes = list(CardTransaction.objects.values_list("exception_code", flat=True))
    expected = {"CLEAR": ["NO_AUTHORIZATION"], "REFUND": ["REFUND_UNMATCHED"]}.get(kind, [])
    assert codes == expected
    assert verify().clean


@pytest.mark.parametrize("end", ["CLEAR", "REVERSE", "EXPIRE"])
def test_an_increment_of_what_is_over_promises_nothing(customer: Customer, end: str) -> None:
    card = make_card(customer)
    authorization = pay(card, 1_000)
    told(card, end, 0 if end == "EXPIRE" else 1_000, of=authorization, final=False)

    with pytest.raises(AuthorizationNotOpen):
        told(card, "INCREMENT", 500, of=authorization)

    at_once()
    authorization.refresh_from_db()
    assert authorization.state != "OPEN"
    assert balance(card).held == eur(0)
    assert verify().clean


def test_an_increment_beyond_what_is_there_is_refused_and_leaves_nothing(customer: Customer) -> None:
    card = make_card(customer, minor=1_200)
    authorization = pay(card, 1_000)

    with pytest.raises(InsufficientFunds):
        told(card, "INCREMENT", 201, of=authorization)
    told(card, "INCREMENT", 200, of=authorization)

    at_once()
    assert balance(card).held == eur(1_200)


def test_the_reversal_of_another_authorisation_is_no_repeat(customer: Customer) -> None:
    card = make_card(customer)
    one, other = pay(card, 1_000), pay(card, 2_000)
    reverse(authorization_id=one.pk, reference="same", amount=None, now=NOW)

    with pytest.raises(ReferenceReused):
        reverse(authorization_id=other.pk, reference="same", amount=None, now=NOW)

    assert balance(card).held == eur(2_000)


def test_an_authorisation_is_ended_once(customer: Customer) -> None:
    card = make_card(customer)
    authorization = pay(card, 1_000)

    expire(authorization_id=authorization.pk, now=NOW)

    with pytest.raises(AuthorizationNotOpen):
        expire(authorization_id=authorization.pk, now=NOW)
    assert balance(card).held == eur(0)


TELLINGS = st.lists(
    st.tuples(
        st.sampled_from(["CLEAR", "CLEAR", "REVERSE", "REFUND", "EXPIRE"]), st.integers(1, 900), st.booleans()
    ),
    min_size=2,
    max_size=6,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(messages=TELLINGS, seed=st.randoms(use_true_random=False))
def test_what_the_database_asks_at_commit_holds_after_each_message_in_any_order(
    customer: Customer, messages: list[tuple[str, int, bool]], seed: object
) -> None:
    card = make_card(customer, minor=5_000)
    authorization = pay(card, 1_000)
    rows = [(*message, f"{card.pk}-{number}") for number, message in enumerate(messages)]
    rows += rows[:2]
    seed.shuffle(rows)  # type: ignore[attr-defined]

    for kind, minor, final, reference in rows:
        amount = 0 if kind == "EXPIRE" else minor
        told(card, kind, amount, of=authorization, final=final, reference=reference)
        at_once()

    counted = CardAuthorization.objects.get(pk=authorization.pk).counted_minor
    assert set(SpendCounter.objects.filter(card=card).values_list("amount_minor", flat=True)) == {counted}
    assert verify().clean
