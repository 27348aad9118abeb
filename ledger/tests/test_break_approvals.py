"""What two people decide about breaks, and the caps that one person has."""

import pytest
from django.db import IntegrityError, connection

from flowlet.audit.trail import Actor, acting
from flowlet.backoffice.approvals.operations import approve
from flowlet.core.money import Money
from flowlet.identity.operations import create_user
from ledger.choices_matching import BreakReason
from ledger.closing import CLOSING_STEPS
from ledger.errors_matching import NotOpposite, OverCap
from ledger.models.accounts import Balance
from ledger.models.matching import Break, WriteOff, WriteOffRule
from ledger.models.transactions import LedgerTransaction
from ledger.operations.accounts import house_account
from ledger.operations.break_approvals import ask_to_rebook, ask_to_set_rule, ask_to_write_off
from ledger.operations.breaks import explain_break, write_off
from ledger.operations.matching import match_lines
from ledger.tests.banks import later, statement
from ledger.tests.factories import NOW, TODAY, wallet_account

PASSWORD = "correct-horse-battery"
pytestmark = pytest.mark.django_db


@pytest.fixture
def maker(finance):
    return finance


@pytest.fixture
def checker(db):
    return create_user(
        email="ines@house.example", full_name="Ines Moll", password=PASSWORD, roles=["finance_lead"]
    )


def breaks_over(*amounts):
    statement(*amounts)
    match_lines(now=NOW)
    return list(Break.objects.order_by("-pk")[: len(amounts)][::-1])


def agreed(asked, checker):
    done = approve(approval_id=asked.pk, checker_id=checker.pk, seen_hash=asked.content_hash, now=NOW)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    return done


@pytest.fixture
def rule(maker, checker):
    asked = ask_to_set_rule(
        cap_break=Money(500, "EUR"),
        cap_day=Money(800, "EUR"),
        maker_id=maker.pk,
        reason_code="NEW_RULE",
        now=NOW,
    )
    assert agreed(asked, checker).status == "EXECUTED"


def test_one_person_writes_off_within_the_caps_and_no_further(rule):
    small, second, large, out = breaks_over(-500, 400, 501, -300)

    with acting(Actor("STAFF", "henk")):
        written = write_off(break_id=small.public_id, reason=BreakReason.BANK_FEE, now=NOW)
    with pytest.raises(OverCap, match="one day"):
        write_off(break_id=second.public_id, reason=BreakReason.OTHER, now=NOW)
    with pytest.raises(OverCap, match="one break"):
        write_off(break_id=large.public_id, reason=BreakReason.OTHER, now=NOW)
    write_off(break_id=out.public_id, reason=BreakReason.OTHER, now=NOW)

    assert written.transaction.kind == "WRITE_OFF_SMALL"
    assert Balance.objects.get(account__chart_account__code="BANK_CHARGES").posted == 500
    assert Balance.objects.get(account__chart_account__code="RECONCILIATION_DIFFERENCES").posted == 300
    small.refresh_from_db()
    assert (small.state, small.reason) == ("WRITTEN_OFF", "BANK_FEE")
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_the_caps_hold_for_raw_sql_too(rule):
    (large,) = breaks_over(501)
    other = LedgerTransaction.objects.latest("pk")

    with pytest.raises(IntegrityError, match="one break"):
        WriteOff.objects.create(
            broken=large,
            rule=WriteOffRule.objects.get(),
            transaction=other,
            currency="EUR",
            amount_minor=501,
            day=TODAY,
        )


def test_two_people_write_off_any_amount(maker, checker):
    (large,) = breaks_over(90_000)
    asked = ask_to_write_off(
        break_id=large.public_id, maker_id=maker.pk, reason=BreakReason.OTHER, note="old", now=NOW
    )

    done = agreed(asked, checker)

    assert done.status == "EXECUTED"
    written = WriteOff.objects.get()
    assert (written.transaction.kind, written.transaction.approval) == ("WRITE_OFF", done)
    assert Balance.objects.get(account__chart_account__code="UNALLOCATED_RECEIPTS").posted == 0


def test_two_people_give_a_receipt_to_its_owner(maker, checker):
    (broken,) = breaks_over(1_200)
    wallet = wallet_account()
    with pytest.raises(NotOpposite, match="another currency"):
        ask_to_rebook(
            break_id=broken.public_id,
            account_id=wallet_account("JPY").public_id,
            maker_id=maker.pk,
            reason=BreakReason.NOT_BOOKED,
            now=NOW,
        )
    asked = ask_to_rebook(
        break_id=broken.public_id,
        account_id=wallet.public_id,
        maker_id=maker.pk,
        reason=BreakReason.NOT_BOOKED,
        note="Sent without reference",
        now=NOW,
    )

    done = agreed(asked, checker)

    assert done.status == "EXECUTED"
    broken.refresh_from_db()
    assert (broken.state, broken.note) == ("RESOLVED", "Sent without reference")
    assert Balance.objects.get(pk=wallet.pk).posted == 1_200


def test_a_period_is_not_closed_over_breaks_and_suspense():
    step = CLOSING_STEPS.get("breaks")
    house_account(chart_code="SUSPENSE", currency="EUR", now=NOW)
    assert step.check(TODAY, TODAY, NOW) == []
    (broken,) = breaks_over(700)

    assert [point.split(" ")[0] for point in step.check(TODAY, TODAY, NOW)] == ["Break", "Receipts"]
    explain_break(
        break_id=broken.public_id, reason=BreakReason.UNKNOWN_PAYER, note="x", due_at=later(1), now=NOW
    )
    (point,) = step.check(TODAY, TODAY, NOW)
    assert "7.00" in point
