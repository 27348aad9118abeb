"""Asking and doing: freeze and unfreeze of a customer stand for every action."""

import threading
import uuid
from collections.abc import Callable
from html import unescape
from html.parser import HTMLParser

import pytest
from django.db import DatabaseError, connection, connections, transaction
from django.test import Client

from flowlet.audit.models import AuditRecord
from flowlet.backoffice.actions import ACTIONS, Action
from flowlet.backoffice.models import FormReceipt
from flowlet.identity import operations
from flowlet.identity.models import Customer, Restriction, User


class Fields(HTMLParser):
    """Collect the hidden fields of the form that does something."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: dict[str, str] = {}
        self.inside = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        if tag == "form":
            self.inside = "data-ask-form" in known
        if tag == "input" and self.inside and known.get("type") == "hidden":
            self.found[str(known["name"])] = known.get("value") or ""


def address(customer: Customer, verb: str = "freeze") -> str:
    return f"/admin/do/customer.{verb}/{customer.public_id}/"


def ask(client: Client, customer: Customer, verb: str = "freeze") -> dict[str, str]:
    page = client.get(address(customer, verb)).content.decode()
    return Fields(page).found


def fill(client: Client, customer: Customer, **changes: str) -> dict[str, str]:
    return {**ask(client, customer), "reason": "FRAUD_SUSPECTED", "note": "Called twice", **changes}


def test_the_form_asks_names_the_object_and_offers_the_reasons(ops_desk: Client, customer: Customer) -> None:
    page = unescape(ops_desk.get(address(customer)).content.decode())

    assert "Freeze Mirela Sandvik?" in page
    assert 'value="FRAUD_SUSPECTED"' in page
    assert "Keep active" in page
    assert not Restriction.objects.exists()


def test_doing_it_calls_the_operation_with_reason_note_and_person(
    ops_desk: Client, ops: User, customer: Customer
) -> None:
    back = f"/admin/customers/{customer.public_id}/"

    answer = ops_desk.post(address(customer), fill(ops_desk, customer, next=back))

    assert (answer.status_code, answer["Location"]) == (303, back)
    restriction = Restriction.objects.get(customer=customer)
    assert (restriction.kind, restriction.source, restriction.note) == ("FROZEN", "OPS", "Called twice")
    record = AuditRecord.objects.get(action="customer.restrict", object_id=customer.public_id)
    assert (record.actor, record.actor_kind, record.reason_code) == (
        ops.public_id,
        "STAFF",
        "FRAUD_SUSPECTED",
    )
    assert "Mirela Sandvik is frozen." in ops_desk.get(back).content.decode()


def test_a_script_gets_the_next_page_in_a_header(ops_desk: Client, customer: Customer) -> None:
    answer = ops_desk.post(address(customer), fill(ops_desk, customer), headers={"X-Part": "dialog"})

    assert (answer.status_code, answer["X-Next"]) == (204, "/admin/")
    part = ops_desk.get(address(customer, "unfreeze"), headers={"X-Part": "dialog"}).content.decode()
    assert part.startswith("<form")


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"reason": ""}, "Choose a reason."),
        ({"reason": "BECAUSE"}, "Choose a reason."),
        ({"note": "x" * 4001}, "under 4,000 characters"),
        ({"note": "nul \0 byte"}, "cannot be stored"),
    ],
)
def test_a_fault_keeps_the_text_and_does_nothing(
    ops_desk: Client, customer: Customer, changes: dict[str, str], text: str
) -> None:
    form = fill(ops_desk, customer, **changes)

    answer = ops_desk.post(address(customer), form)

    page = unescape(answer.content.decode())
    assert answer.status_code == 400
    assert text in page
    assert form["note"].replace("\0", "\0") in page
    assert form["form_id"] in page
    assert not Restriction.objects.exists()


@pytest.mark.parametrize("method", ["get", "post"])
def test_without_the_right_nothing_is_shown_or_done_and_the_try_is_recorded(
    desk: Callable[[User], Client], finance: User, customer: Customer, method: str
) -> None:
    client = desk(finance)

    answer = getattr(client, method)(
        address(customer), {"form_id": str(uuid.uuid4()), "reason": "FRAUD_SUSPECTED"}
    )

    assert answer.status_code == 403
    assert "Freeze" not in client.get(f"/admin/customers/{customer.public_id}/").content.decode()
    assert not Restriction.objects.exists()
    refusal = AuditRecord.objects.get(action="customer.freeze", outcome="REFUSED")
    assert (refusal.reason_code, refusal.actor) == ("forbidden", finance.public_id)


@pytest.mark.parametrize("target", ["customer.freeze/cus_none", "customer.nonsense/cus_none"])
def test_an_unknown_action_and_an_unknown_object_are_missing_alike(ops_desk: Client, target: str) -> None:
    assert ops_desk.get(f"/admin/do/{target}/").status_code == 404
    assert ops_desk.post(f"/admin/do/{target}/", {"form_id": str(uuid.uuid4())}).status_code == 404


def test_a_second_post_of_the_same_form_gets_the_same_answer_and_does_nothing(
    ops_desk: Client, customer: Customer
) -> None:
    form = fill(ops_desk, customer, next="/admin/customers/")

    first = ops_desk.post(address(customer), form)
    second = ops_desk.post(address(customer), form)

    assert (first.status_code, first["Location"]) == (second.status_code, second["Location"])
    assert Restriction.objects.count() == 1
    assert AuditRecord.objects.filter(action="customer.restrict").count() == 1
    assert FormReceipt.objects.count() == 1


def test_somebody_quicker_is_named_and_the_text_is_kept(
    desk: Callable[[User], Client], ops: User, second_officer: User, customer: Customer
) -> None:
    slow, quick = desk(ops), desk(second_officer)
    form = fill(slow, customer, note="My long thoughts")
    quick.post(address(customer), fill(quick, customer))

    answer = slow.post(address(customer), form)

    page = unescape(answer.content.decode())
    assert answer.status_code == 409
    assert "Oskar Lind was here" in page
    assert "Customer frozen" in page
    assert "My long thoughts" in page
    assert Restriction.objects.count() == 1


def test_a_refusal_of_the_operation_is_a_message_in_the_dialog(ops_desk: Client, customer: Customer) -> None:
    form = fill(ops_desk, customer)
    Customer.objects.filter(pk=customer.pk).update(status="CLOSED")

    answer = ops_desk.post(address(customer), form)

    assert answer.status_code == 409
    assert not FormReceipt.objects.exists()


def test_an_expected_error_keeps_its_status_and_is_recorded(
    ops_desk: Client, customer: Customer, now: object
) -> None:
    """The action is always available here, so that only the operation can refuse."""
    known = ACTIONS.get("customer.unfreeze")
    assert isinstance(known, Action)
    operations.freeze_customer(customer_id=customer.pk, reason_code="X", now=now)  # type: ignore[arg-type]
    form = {**ask(ops_desk, customer, "unfreeze"), "reason": "PLACED_IN_ERROR"}
    restriction = Restriction.objects.get()
    operations.lift_restriction(restriction_id=restriction.pk, reason_code="X", now=now)  # type: ignore[arg-type]

    answer = ops_desk.post(address(customer, "unfreeze"), form)

    assert answer.status_code == 409
    assert Restriction.objects.get().lift_reason_code == "X"


def test_unfreezing_lifts_what_operations_placed_and_nothing_else(
    ops_desk: Client, customer: Customer, now: object
) -> None:
    operations.place_restriction(
        customer_id=customer.pk,
        kind="NO_OUT",
        source="SCREENING",
        source_ref="hit_1",
        reason_code="POSSIBLE_MATCH",
        now=now,  # type: ignore[arg-type]
    )
    ops_desk.post(address(customer), fill(ops_desk, customer))
    assert ACTIONS.get("customer.unfreeze").available(customer)

    form = {**ask(ops_desk, customer, "unfreeze"), "reason": "IDENTITY_CONFIRMED"}
    ops_desk.post(address(customer, "unfreeze"), form)

    assert list(Restriction.objects.filter(lifted_at=None).values_list("source", flat=True)) == ["SCREENING"]


def test_a_form_that_no_longer_makes_sense_has_no_button(ops_desk: Client, customer: Customer) -> None:
    page = ops_desk.get(address(customer, "unfreeze")).content.decode()

    assert "not possible in the present state" in page
    assert 'type="submit"' not in page.partition("data-ask-form")[2]


@pytest.mark.parametrize(
    "sql", ["UPDATE backoffice_formreceipt SET message = 'x'", "DELETE FROM backoffice_formreceipt"]
)
def test_raw_sql_cannot_change_an_answer_that_was_given(
    ops_desk: Client, customer: Customer, sql: str
) -> None:
    ops_desk.post(address(customer), fill(ops_desk, customer))

    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)

    assert FormReceipt.objects.get().message == "Mirela Sandvik is frozen."


@pytest.mark.django_db(transaction=True)
def test_eight_simultaneous_posts_of_one_form_do_it_once(
    desk: Callable[[User], Client], ops: User, customer: Customer
) -> None:
    clients = [desk(ops) for _ in range(8)]
    form = fill(clients[0], customer)
    answers: list[tuple[int, str]] = []
    gate = threading.Barrier(8)

    def post(client: Client) -> None:
        gate.wait()
        answer = client.post(address(customer), form)
        answers.append((answer.status_code, answer.get("Location", "")))
        connections.close_all()

    threads = [threading.Thread(target=post, args=[client]) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert answers == [(303, "/admin/")] * 8
    assert Restriction.objects.count() == 1
    assert FormReceipt.objects.count() == 1
