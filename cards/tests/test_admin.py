"""Cards in the back office: found in one search, frozen in three clicks, and every decline explained."""

import re
import uuid

import pytest
from django.test import Client
from django.urls import reverse

from cards.admin_today import _read, _wants
from cards.choices import CardKind, FreezeSource
from cards.models.issuing import Card, CardFreeze
from cards.models.vault import VaultEntry
from cards.operations.freezing import freeze_card
from cards.operations.issuing import set_controls
from cards.policies import luhn_digit
from cards.tests.factories import NOW, make_card, pay, told
from flowlet.audit.models import AuditRecord
from flowlet.backoffice.tests.conftest import log_in
from flowlet.identity.models import Customer, Partner, User
from flowlet.identity.operations import create_user
from wallets.tests.factories import make_customer

pytestmark = pytest.mark.django_db


@pytest.fixture
def card(customer: Customer) -> Card:
    card = make_card(customer)
    set_controls(
        card_id=card.pk,
        per_transaction_minor=10_000,
        day_minor=None,
        month_minor=0,
        mcc_block=["7995"],
        now=NOW,
    )
    return card


def page(name: str, *args: str) -> str:
    return reverse(f"admin:{name}", args=args)


def press(client: Client, verb: str, card: Card, reason: str) -> int:
    """Open the question of an action, answer it, and return the status."""
    href = page("do", f"card.{verb}", card.public_id)
    version = client.get(href).context["asked"].version
    answer = client.post(
        href, {"form_id": str(uuid.uuid4()), "version": version, "reason": reason, "note": "Called"}
    )
    return int(answer.status_code)


def addresses(card: Card) -> list[str]:
    authorization = pay(make_card(card.customer), 1_000)
    told(authorization.card, "CLEAR", 700, of=authorization, final=False)
    told(authorization.card, "CLEAR", 5)
    transaction = authorization.transactions.get()
    declined = pay(card, 20_000)
    return [
        page("cards_card_changelist"),
        f"{page('cards_card_changelist')}?view=frozen&q=Sandvik",
        page("cards_card_change", card.public_id),
        page("cards_card_change", authorization.card.public_id),
        page("cards_cardauthorization_changelist"),
        page("cards_cardauthorization_change", authorization.public_id),
        page("cards_cardauthorization_change", declined.public_id),
        page("cards_cardtransaction_changelist"),
        page("cards_cardtransaction_change", transaction.public_id),
        f"{page('identity_customer_change', card.customer.public_id)}?tab=Cards",
        page("identity_customer_change", card.customer.public_id),
        f"{page('search')}?q={card.last_four}",
        page("index"),
    ]


def test_every_list_and_page_opens_with_few_queries(
    ops: User, card: Card, django_assert_max_num_queries: object
) -> None:
    client, lists = log_in(ops), ("changelist",)

    for address in addresses(card):
        ceiling = 12 if address.rstrip("/").rsplit("/", 1)[-1].split("?")[0] in lists else 18
        with django_assert_max_num_queries(ceiling):  # type: ignore[operator]
            answer = client.get(address)
        assert answer.status_code == 200, address


def test_lists_stay_within_twelve_queries_whatever_the_rows(
    ops: User, partner: Partner, django_assert_max_num_queries: object
) -> None:
    client = log_in(ops)
    for number in range(4):
        card = make_card(make_customer(partner, f"Ola Nilsen{number}"))
        told(card, "CLEAR", 5, of=pay(card, 500), final=False)
        freeze_card(card_id=card.pk, source=FreezeSource.OPS, reason_code="SUSPECTED_FRAUD", now=NOW)

    for name in ("card", "cardauthorization", "cardtransaction"):
        with django_assert_max_num_queries(12):  # type: ignore[operator]
            answer = client.get(page(f"cards_{name}_changelist"))
        assert answer.content.count(b"Ola Nilsen") >= 4


def test_a_card_is_found_by_last_four_name_token_and_id(ops: User, card: Card) -> None:
    client = log_in(ops)

    terms = (
        card.last_four,
        f"•••• {card.last_four}",
        f"Sandvik {card.last_four}",
        card.token,
        card.public_id,
    )
    for term in terms:
        assert (
            page("cards_card_change", card.public_id)
            in client.get(page("search"), {"q": term}).content.decode()
        )
    assert (
        page("cards_card_change", card.public_id)
        not in client.get(page("search"), {"q": f"Nobody {card.last_four}"}).content.decode()
    )


@pytest.mark.parametrize(
    ("term", "read", "wanted"),
    [
        ("4471", ("", "4471"), True),
        ("Mirela Sandvik 4471", ("Mirela Sandvik", "4471"), True),
        ("Sandvik", ("Sandvik", ""), True),
        ("9999001234567890", ("9999001234567890", ""), False),
        ("12.50", ("12.50", ""), False),
        ("x", ("x", ""), False),
        ("", ("", ""), False),
        ("pay_01K8Z5M3W4J7T2R9QX6V0BND1C", ("pay_01K8Z5M3W4J7T2R9QX6V0BND1C", ""), False),
    ],
)
def test_a_term_is_read_as_name_and_last_four(term: str, read: tuple[str, str], *, wanted: bool) -> None:
    assert (_read(term), _wants(term)) == (read, wanted)


def test_from_a_search_a_card_is_frozen_in_three_clicks_with_its_reason(ops: User, card: Card) -> None:
    client = log_in(ops)

    found = client.get(page("search"), {"q": f"Sandvik {card.last_four}"}).content.decode()
    first = page("cards_card_change", card.public_id)
    second = page("do", "card.freeze", card.public_id)
    assert first in found
    assert second in client.get(first).content.decode()
    assert press(client, "freeze", card, "LOST_OR_STOLEN") == 303

    assert "Frozen" in client.get(first).content.decode()
    freeze = CardFreeze.objects.get()
    assert (freeze.source, freeze.reason_code) == ("OPS", "LOST_OR_STOLEN")
    record = AuditRecord.objects.get(action="card.freeze")
    assert (record.reason_code, record.actor_kind) == ("LOST_OR_STOLEN", "STAFF")
    assert pay(card, 100).decision.reason == "card_frozen"


def test_ops_lifts_its_own_freeze_only_and_closes_for_good(ops: User, card: Card) -> None:
    client = log_in(ops)
    freeze_card(card_id=card.pk, source=FreezeSource.PARTNER, reason_code="PARTNER_REQUEST", now=NOW)
    assert (
        page("do", "card.unfreeze", card.public_id)
        not in client.get(page("cards_card_change", card.public_id)).content.decode()
    )

    assert press(client, "freeze", card, "SUSPECTED_FRAUD") == 303
    assert press(client, "unfreeze", card, "CHECK_DONE") == 303
    assert [freeze.source for freeze in CardFreeze.objects.filter(lifted_at__isnull=True)] == ["PARTNER"]
    assert press(client, "close", card, "STOLEN") == 303

    card.refresh_from_db()
    assert (card.status, card.close_reason) == ("CLOSED", "STOLEN")
    shown = client.get(page("cards_card_change", card.public_id)).content.decode()
    assert page("do", "card.freeze", card.public_id) not in shown


def test_a_form_that_is_older_than_a_freeze_is_stale(ops: User, card: Card) -> None:
    client, href = log_in(ops), page("do", "card.close", card.public_id)
    version = client.get(href).context["asked"].version
    freeze_card(card_id=card.pk, source=FreezeSource.FRAUD, reason_code="SUSPECTED_FRAUD", now=NOW)

    answer = client.post(
        href, {"form_id": str(uuid.uuid4()), "version": version, "reason": "STOLEN", "note": ""}
    )

    card.refresh_from_db()
    assert (answer.status_code, card.status) == (409, "ACTIVE")


def test_a_decline_is_explained_with_every_check_in_words(ops: User, card: Card) -> None:
    declined = pay(card, 250_000, mcc="7995")

    shown = log_in(ops).get(page("cards_cardauthorization_change", declined.public_id)).content.decode()

    for text in (
        "Why it was declined",
        "The card does not take this kind of merchant.",
        "Above the card&#x27;s limit for one payment.",
        "Less is available than was asked for.",
        "Limit for one payment",
        "100.00",
        "Usual for this card",
        "None was held or moved.",
    ):
        assert text in shown
    assert "transaction_limit" not in shown


def test_a_ledger_transaction_leads_to_its_card_and_authorisation(finance: User, card: Card) -> None:
    authorization = pay(card, 1_000)
    told(card, "CLEAR", 1_000, of=authorization)
    posted = authorization.transactions.get().transaction

    shown = log_in(finance).get(page("ledger_ledgertransaction_change", posted.public_id)).content.decode()

    for href in (
        page("cards_card_change", card.public_id),
        page("cards_cardauthorization_change", authorization.public_id),
    ):
        assert f'href="{href}"' in shown


def test_who_may_only_look_cannot_freeze_and_who_may_not_look_sees_nothing(
    finance: User, officer: User, card: Card
) -> None:
    access = create_user(
        email="a@house.example", full_name="Samuel Adjei", password="a-long-password-1", roles=["access"]
    )
    address, act = page("cards_card_change", card.public_id), page("do", "card.freeze", card.public_id)

    assert (log_in(finance).get(address).status_code, log_in(finance).get(act).status_code) == (200, 403)
    assert log_in(officer).get(act).status_code == 200
    assert log_in(officer).get(page("do", "card.close", card.public_id)).status_code == 403
    for closed in (address, page("cards_card_changelist"), page("cards_cardauthorization_changelist")):
        assert log_in(access).get(closed).status_code == 403
    assert card.public_id not in log_in(access).get(page("search"), {"q": card.last_four}).content.decode()


def test_no_page_shows_a_card_number(ops: User, card: Card, caplog: pytest.LogCaptureFixture) -> None:
    client = log_in(ops)
    make_card(card.customer, kind=CardKind.PHYSICAL)
    with caplog.at_level("DEBUG"):
        texts = [client.get(address).content.decode() for address in addresses(card)]
    texts.append("\n".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records))
    numbers = [entry.pan for entry in VaultEntry.objects.all()]

    assert len(numbers) == 3
    for text in texts:
        digits = re.sub(r"[\s\u00a0-]", "", text)
        assert not any(number in digits for number in numbers)
        for found in re.findall(r"(?<!\d)9999\d{12}(?!\d)", digits):
            assert luhn_digit(found[:-1]) != found[-1]
