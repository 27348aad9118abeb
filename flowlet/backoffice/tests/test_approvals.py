"""Two people: what one asks, another decides; the database refuses every shortcut."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import IntegrityError, connection, connections, transaction
from django.test import Client

from flowlet.audit.models import AuditRecord
from flowlet.backoffice.approvals import operations
from flowlet.backoffice.approvals.errors import (
    ApprovalDecided,
    ApprovalPending,
    NotYourApproval,
    OwnApproval,
    StaleApproval,
)
from flowlet.backoffice.approvals.registry import APPROVALS, ApprovalKind
from flowlet.backoffice.models import Approval, ApprovalStatus, ApprovalVote
from flowlet.backoffice.tests.test_actions import Fields
from flowlet.core import clock
from flowlet.core.errors import Conflict
from flowlet.identity import operations as identity
from flowlet.identity.models import Customer, Restriction, User

ACT = "test.freeze_customer"


def evidence(object_id: str) -> dict[str, object]:
    customer = Customer.objects.get(public_id=object_id)
    return {"name": customer.name, "risk_level": customer.risk_level}


def freeze(approval: Approval, now: datetime) -> None:
    customer = Customer.objects.get(public_id=approval.object_id)
    if Restriction.objects.filter(customer=customer, lifted_at=None).exists():
        raise Conflict
    identity.freeze_customer(
        customer_id=customer.pk, reason_code=approval.reason_code, note=approval.note, now=now
    )


@pytest.fixture(autouse=True)
def _act(monkeypatch: pytest.MonkeyPatch) -> None:
    kind = ApprovalKind(
        title="Freeze the customer",
        permission="identity.unfreeze_customer",
        maker_permission="identity.freeze_customer",
        evidence=evidence,
        execute=freeze,
        object_href=lambda object_id: f"/admin/customers/{object_id}/",
    )
    monkeypatch.setitem(APPROVALS._entries, ACT, kind)


@pytest.fixture
def asked(ops: User, customer: Customer, now: datetime) -> Approval:
    return ask(ops, customer, now)


def ask(maker: User, customer: Customer, now: datetime) -> Approval:
    return operations.request_approval(
        action=ACT,
        object_type="customer",
        object_id=customer.public_id,
        payload={"scope": "ALL_WALLETS"},
        maker_id=maker.pk,
        reason_code="COURT_ORDER",
        note="Order 12/26 of the district court",
        now=now,
    )


def yes(approval: Approval, checker: User, now: datetime, seen: str = "") -> Approval:
    return operations.approve(
        approval_id=approval.pk,
        checker_id=checker.pk,
        seen_hash=seen or approval.content_hash,
        now=now,
    )


def test_a_request_does_nothing_until_a_second_person_says_yes(
    asked: Approval, second_officer: User, customer: Customer, now: datetime
) -> None:
    assert not Restriction.objects.exists()

    done = yes(asked, second_officer, now)

    assert done.status == ApprovalStatus.EXECUTED
    assert Restriction.objects.get(customer=customer).reason_code == "COURT_ORDER"
    verbs = AuditRecord.objects.filter(object_id=asked.public_id).order_by("pk")
    assert list(verbs.values_list("action", flat=True)) == ["approval.request", "approval.executed"]


def test_the_maker_cannot_check(asked: Approval, ops: User, now: datetime) -> None:
    ops.user_permissions.add(Permission.objects.get(codename="unfreeze_customer"))

    with pytest.raises(OwnApproval):
        yes(asked, User.objects.get(pk=ops.pk), now)

    assert not Restriction.objects.exists()


def test_who_worked_on_the_matter_cannot_check(
    asked: Approval, second_officer: User, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = replace(APPROVALS.get(ACT), excluded=lambda _: [second_officer.pk])
    monkeypatch.setitem(APPROVALS._entries, ACT, kind)

    with pytest.raises(OwnApproval):
        yes(asked, second_officer, now)


def test_without_the_right_nobody_makes_or_checks(
    asked: Approval, auditor: User, officer: User, customer: Customer, now: datetime
) -> None:
    with pytest.raises(NotYourApproval):
        yes(asked, officer, now)
    with pytest.raises(NotYourApproval):
        ask(auditor, customer, now)


def test_a_maker_who_lost_the_right_voids_the_act(
    asked: Approval, ops: User, second_officer: User, now: datetime
) -> None:
    ops.groups.clear()

    done = yes(asked, second_officer, now)

    assert (done.status, done.outcome_code) == (ApprovalStatus.FAILED, "forbidden")
    assert not Restriction.objects.exists()


def test_an_object_that_changed_since_voids_the_request(
    asked: Approval, second_officer: User, customer: Customer, now: datetime
) -> None:
    Customer.objects.filter(pk=customer.pk).update(risk_level="HIGH")

    done = yes(asked, second_officer, now)

    assert done.status == ApprovalStatus.VOID
    assert not ApprovalVote.objects.exists()
    assert not Restriction.objects.exists()


def test_what_the_domain_refuses_ends_as_failed_and_leaves_nothing(
    asked: Approval, second_officer: User, customer: Customer, now: datetime
) -> None:
    identity.freeze_customer(customer_id=customer.pk, reason_code="OTHER", note="", now=now)

    done = yes(asked, second_officer, now)

    assert done.status == ApprovalStatus.FAILED
    assert done.outcome_text
    assert Restriction.objects.count() == 1


def test_another_content_than_the_checker_saw_is_refused(
    asked: Approval, second_officer: User, now: datetime
) -> None:
    with pytest.raises(StaleApproval):
        yes(asked, second_officer, now, seen="0" * 64)


def test_the_same_request_waits_only_once_and_expires(
    asked: Approval, ops: User, second_officer: User, customer: Customer, now: datetime
) -> None:
    with pytest.raises(ApprovalPending):
        ask(ops, customer, now)
    late = asked.expires_at

    with pytest.raises(ApprovalDecided):
        yes(asked, second_officer, late)
    again = ask(ops, customer, late)

    asked.refresh_from_db()
    assert (asked.status, again.status) == (ApprovalStatus.EXPIRED, ApprovalStatus.PENDING)
    assert operations.expire_approvals(now=late + timedelta(hours=9)) == 1


def test_a_request_can_be_rejected_or_withdrawn_once(
    asked: Approval, ops: User, second_officer: User, customer: Customer, now: datetime
) -> None:
    done = operations.reject(
        approval_id=asked.pk,
        checker_id=second_officer.pk,
        seen_hash=asked.content_hash,
        note="The order names somebody else",
        now=now,
    )
    again = ask(ops, customer, now)

    with pytest.raises(NotYourApproval):
        operations.withdraw(approval_id=again.pk, maker_id=second_officer.pk, now=now)
    back = operations.withdraw(approval_id=again.pk, maker_id=ops.pk, now=now)

    assert (done.status, back.status) == (ApprovalStatus.REJECTED, ApprovalStatus.WITHDRAWN)
    with pytest.raises(ApprovalDecided):
        yes(again, second_officer, now)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE backoffice_approval SET status = 'EXECUTED', decided_at = now()",
        "UPDATE backoffice_approval SET status = 'REJECTED', decided_at = now()",
        "UPDATE backoffice_approval SET payload = '{}'",
        "UPDATE backoffice_approval SET maker_id = maker_id + 1",
        "UPDATE backoffice_approval SET expires_at = expires_at + interval '1 day'",
        "DELETE FROM backoffice_approval",
        """INSERT INTO backoffice_approvalvote (approval_id, maker_id, checker_id, decision, seen_hash, note, voted_at)
           SELECT id, maker_id, maker_id, 'APPROVE', content_hash, '', created_at FROM backoffice_approval""",
        """INSERT INTO backoffice_approvalvote (approval_id, maker_id, checker_id, decision, seen_hash, note, voted_at)
           SELECT a.id, u.id, a.maker_id, 'APPROVE', content_hash, '', a.created_at
           FROM backoffice_approval a JOIN identity_user u ON u.id <> a.maker_id LIMIT 1""",
        """INSERT INTO backoffice_approvalvote (approval_id, maker_id, checker_id, decision, seen_hash, note, voted_at)
           SELECT a.id, a.maker_id, u.id, 'APPROVE', 'another', '', a.created_at
           FROM backoffice_approval a JOIN identity_user u ON u.id <> a.maker_id LIMIT 1""",
        """INSERT INTO backoffice_approvalvote (approval_id, maker_id, checker_id, decision, seen_hash, note, voted_at)
           SELECT a.id, a.maker_id, u.id, 'APPROVE', content_hash, '', a.expires_at
           FROM backoffice_approval a JOIN identity_user u ON u.id <> a.maker_id LIMIT 1""",
    ],
)
def test_raw_sql_cannot_replace_the_second_person(asked: Approval, second_officer: User, sql: str) -> None:
    assert second_officer.pk != asked.maker_id

    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_the_database_tells_triggers_what_was_approved(
    asked: Approval, second_officer: User, now: datetime
) -> None:
    def approved(act: str, object_id: str) -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT flowlet_approved(%s, %s, %s)", [asked.pk, act, object_id])
            return bool(cursor.fetchone()[0])

    before = approved(ACT, asked.object_id)
    yes(asked, second_officer, now)

    assert not before
    assert approved(ACT, asked.object_id)
    assert not approved("test.other", asked.object_id)
    assert not approved(ACT, "cus_other")


@pytest.mark.django_db(transaction=True)
def test_of_two_checkers_at_once_one_decides(
    ops: User, officer: User, second_officer: User, customer: Customer, now: datetime
) -> None:
    officer.user_permissions.add(Permission.objects.get(codename="unfreeze_customer"))
    asked = ask(ops, customer, now)
    start, outcomes = threading.Barrier(2), []

    def check(checker: User) -> None:
        start.wait()
        try:
            outcomes.append(yes(asked, checker, now).status)
        except ApprovalDecided:
            outcomes.append("late")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=check, args=(user,)) for user in (officer, second_officer)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["EXECUTED", "late"]
    assert Restriction.objects.count() == 1


def test_the_page_gives_each_person_only_their_own_answer(
    ops: User, second_officer: User, customer: Customer, desk: Callable[[User], Client]
) -> None:
    asked = ask(ops, customer, clock.now())
    address = f"/admin/approvals/{asked.public_id}/"

    makers = desk(ops).get(address).content.decode()
    checkers = desk(second_officer).get(address).content.decode()

    assert "Withdraw…" in makers
    assert "Approve…" not in makers
    assert "Approve…" in checkers
    assert "Order 12/26" in checkers


def test_approving_on_the_page_carries_it_out(
    ops: User, second_officer: User, customer: Customer, desk: Callable[[User], Client]
) -> None:
    asked = ask(ops, customer, clock.now())
    address = f"/admin/do/approval.approve/{asked.public_id}/"
    client = desk(second_officer)
    form = Fields(client.get(address).content.decode()).found

    answer = client.post(address, {**form, "note": "Read the order"}, follow=True)

    assert "Freeze the customer: approved and done." in answer.content.decode()
    assert Restriction.objects.filter(customer=customer).exists()


def test_the_makers_own_yes_on_the_page_is_refused_and_noted(
    ops: User, customer: Customer, desk: Callable[[User], Client]
) -> None:
    asked = ask(ops, customer, clock.now())
    ops.user_permissions.add(Permission.objects.get(codename="unfreeze_customer"))
    address = f"/admin/do/approval.approve/{asked.public_id}/"
    client = desk(ops)
    form = Fields(client.get(address).content.decode()).found

    answer = client.post(address, {**form, "note": ""})

    assert answer.status_code == 403
    assert AuditRecord.objects.filter(object_id=asked.public_id, outcome="REFUSED").exists()


def test_a_person_without_either_right_does_not_see_the_request(
    ops: User, finance: User, customer: Customer, desk: Callable[[User], Client]
) -> None:
    asked = ask(ops, customer, clock.now())

    assert desk(finance).get(f"/admin/approvals/{asked.public_id}/").status_code == 404
