"""Matching against the database: journals, breaks, people, and what the database itself refuses."""

from datetime import date, timedelta
from functools import partial

import pytest
from django.db import IntegrityError, connection, transaction

from flowlet.core.money import Money
from flowlet.events.models import Event
from ledger.choices_matching import BreakReason
from ledger.errors_matching import (
    AlreadyUndone,
    BreakClosed,
    ItemUsed,
    LineUsed,
    MoneyWaits,
    NotOpposite,
    NoWriteOffRule,
)
from ledger.models.accounts import Account, Balance
from ledger.models.matching import Break, Match, MatchLeg
from ledger.models.periods import Period
from ledger.models.reconciliation import BankLine, BankStatement
from ledger.models.transactions import LedgerTransaction, Posting
from ledger.operations.accounts import house_account
from ledger.operations.breaks import age_breaks, explain_break, resolve_break, take_break, write_off
from ledger.operations.matching import confirm_match, match_lines, undo_match
from ledger.operations.periods import begin_close, make_periods
from ledger.operations.posting import post, reverse
from ledger.queries.matching import list_open_items
from ledger.tests.banks import bank_account, later, statement
from ledger.tests.factories import NOW, TODAY, draft, wallet_account
from ledger.tests.threads import together

pytestmark = pytest.mark.django_db


def expect(minor, key="", currency="EUR", **fields):
    """Book what a bank is to show (minor units, money in above zero); return the posting that waits."""
    clearing = house_account(chart_code="BANK_CLEARING", currency=currency, now=NOW)
    wallet = house_account(chart_code="EQUITY", currency=currency, now=NOW)
    posted = post(draft=draft((clearing, minor), (wallet, -minor), key=key, **fields), now=NOW)
    return Posting.objects.get(transaction_id=posted.transaction_id, account=clearing)


def holds(code, currency="EUR"):
    rows = Balance.objects.filter(account__chart_account__code=code, currency=currency)
    return sum(row.posted for row in rows)


def the_bank_agrees():
    closing = BankStatement.objects.order_by("-sequence").first().closing_minor
    return holds("CLIENT_MONEY_BANK") == closing


def test_what_both_sides_name_is_matched_and_moves_from_clearing_to_the_bank():
    posting = expect(12_500, "dep-000001")
    (line,) = statement((12_500, {"end_to_end_id": "DEP 000001"}))

    done = match_lines(now=NOW)

    assert (done.matches, done.lines, done.parked) == (1, 1, 0)
    match = Match.objects.get()
    assert (match.matched_by, match.score, match.amount_minor) == ("REFERENCE", 100, 12_500)
    assert list(match.legs.values_list("line", "posting", "amount_minor")) == [(line.pk, posting.pk, 12_500)]
    assert match.transaction.kind == "BANK_SETTLED"
    assert match.transaction.effective_date == line.booking_date
    assert (holds("BANK_CLEARING"), holds("CLIENT_MONEY_BANK")) == (0, 12_500)
    assert the_bank_agrees()
    assert BankLine.objects.get().status == "MATCHED"
    assert match_lines(now=NOW).matches == 0


def test_what_nothing_explains_waits_with_a_break_so_that_our_bank_account_is_right_all_the_same():
    statement(700, -200)

    done = match_lines(now=NOW)

    assert (done.matches, done.parked) == (0, 2)
    assert the_bank_agrees()
    assert holds("UNALLOCATED_RECEIPTS") == 700
    assert holds("SUSPENSE") == -200
    breaks = Break.objects.order_by("amount_minor")
    assert [(one.kind, one.state, one.amount_minor, one.since) for one in breaks] == [
        ("LINE", "OPEN", -200, TODAY),
        ("LINE", "OPEN", 700, TODAY),
    ]
    assert match_lines(now=NOW).parked == 0
    told = Event.objects.filter(type="ledger.break_opened", object_id__in=[one.public_id for one in breaks])
    assert {(event.object_id, event.data["amount"], event.data["since"]) for event in told} == {
        (one.public_id, one.amount_minor, TODAY.isoformat()) for one in breaks
    }
    assert told.count() == 2


def test_a_posting_that_comes_later_settles_what_waited():
    (line,) = statement((700, {"end_to_end_id": "dep-000002"}))
    match_lines(now=NOW)
    expect(700, "dep-000002", effective_date=TODAY + timedelta(days=1))

    match_lines(now=later(1))

    assert holds("UNALLOCATED_RECEIPTS") == 0
    assert the_bank_agrees()
    broken = Break.objects.get()
    assert (broken.state, broken.reason) == ("RESOLVED", "MATCHED")
    assert BankLine.objects.get(pk=line.pk).status == "MATCHED"


def test_a_person_settles_part_and_the_rest_is_a_break_of_its_own():
    posting = expect(10_000)
    (line,) = statement(9_950)
    match_lines(now=NOW)

    match = confirm_match(line_ids=[line.public_id], posting_ids=[posting.pk], now=NOW)

    assert (match.matched_by, match.amount_minor) == ("PERSON", 9_950)
    assert holds("BANK_CLEARING") == 50
    assert [(one.kind, one.amount_minor) for one in Break.objects.filter(state="OPEN")] == [
        ("DIFFERENCE", 50)
    ]
    assert [item.rest for item in list_open_items("EUR")] == [50]
    assert the_bank_agrees()


def test_one_line_settles_many_postings_and_many_lines_one():
    fees = [expect(3_000), expect(2_000), expect(-500)]
    whole = expect(1_000)
    one, first, second = statement(4_500, 400, 600)
    match_lines(now=NOW)

    confirm_match(line_ids=[one.public_id], posting_ids=[row.pk for row in fees], now=NOW)
    confirm_match(line_ids=[first.public_id, second.public_id], posting_ids=[whole.pk], now=NOW)

    assert holds("BANK_CLEARING") == holds("UNALLOCATED_RECEIPTS") == 0
    assert not Break.objects.filter(state="OPEN").exists()
    with pytest.raises(LineUsed):
        confirm_match(line_ids=[one.public_id], posting_ids=[whole.pk], now=NOW)
    (late,) = statement(1_000)
    with pytest.raises(ItemUsed):
        confirm_match(line_ids=[late.public_id], posting_ids=[whole.pk], now=NOW)


@pytest.mark.parametrize(
    ("lines", "postings", "words"),
    [([100], [], "at least one"), ([100], [-100], "mixed"), ([100, -50], [30, 20], "mixed")],
)
def test_what_cannot_belong_together_is_refused_in_words(lines, postings, words):
    rows = statement(*lines)
    keys = [expect(minor).pk for minor in postings]

    with pytest.raises(NotOpposite, match=words):
        confirm_match(line_ids=[row.public_id for row in rows], posting_ids=keys, now=NOW)

    assert not Match.objects.exists()


def test_an_undone_match_leaves_its_line_waiting_and_its_posting_open():
    posting = expect(12_500, "dep-000001")
    statement((12_500, {"end_to_end_id": "dep-000001"}))
    match_lines(now=NOW)
    match = Match.objects.get()

    undone = undo_match(match_id=match.public_id, reason_code="WRONG", now=NOW)

    assert undone.reversal.reverses_id == match.transaction_id
    assert (holds("BANK_CLEARING"), holds("UNALLOCATED_RECEIPTS")) == (12_500, 12_500)
    assert the_bank_agrees()
    assert Break.objects.get().reason == "MATCH_UNDONE"
    assert [item.posting_id for item in list_open_items("EUR")] == [posting.pk]
    with pytest.raises(AlreadyUndone):
        undo_match(match_id=match.public_id, reason_code="WRONG", now=NOW)
    # The same two can be matched anew, and undone anew.
    again = confirm_match(line_ids=[BankLine.objects.get().public_id], posting_ids=[posting.pk], now=NOW)
    undo_match(match_id=again.public_id, reason_code="WRONG", now=NOW)
    assert holds("UNALLOCATED_RECEIPTS") == 12_500
    assert Break.objects.filter(state="OPEN").count() == 1


def test_a_posting_reversed_before_the_bank_saw_it_waits_for_nothing():
    posting = expect(500)
    reverse(
        transaction_public_id=posting.transaction.public_id,
        source="test",
        source_key="back",
        effective_date=TODAY,
        now=NOW,
    )

    assert list_open_items("EUR") == []


def test_a_break_is_taken_explained_and_booked_to_whom_it_belongs(finance):
    statement(700)
    match_lines(now=NOW)
    wallet = wallet_account()
    broken = Break.objects.get().public_id

    take_break(break_id=broken, owner_id=finance.pk, now=NOW)
    explain_break(break_id=broken, reason=BreakReason.UNKNOWN_PAYER, note="asked", due_at=later(3), now=NOW)
    with pytest.raises(MoneyWaits):
        resolve_break(break_id=broken, reason=BreakReason.OTHER, now=NOW)
    with pytest.raises(NotOpposite, match="not to a result"):
        resolve_break(
            break_id=broken,
            reason=BreakReason.OTHER,
            account_id=house_account(chart_code="FEE_INCOME", currency="EUR", now=NOW).public_id,
            now=NOW,
        )
    done = resolve_break(break_id=broken, reason=BreakReason.NOT_BOOKED, account_id=wallet.public_id, now=NOW)

    assert (done.state, done.owner, done.reason) == ("RESOLVED", finance, "NOT_BOOKED")
    assert Balance.objects.get(pk=wallet.pk).posted == 700
    assert holds("UNALLOCATED_RECEIPTS") == 0
    assert BankLine.objects.get().status == "MATCHED"
    with pytest.raises(BreakClosed):
        take_break(break_id=broken, owner_id=None, now=NOW)
    with pytest.raises(NoWriteOffRule):
        statement(5)
        match_lines(now=NOW)
        write_off(break_id=Break.objects.latest("pk").public_id, reason=BreakReason.OTHER, now=NOW)


def test_a_posting_that_no_bank_shows_becomes_a_break_once_a_statement_covers_it():
    expect(500)
    statement(1, day=TODAY + timedelta(days=2))
    assert age_breaks(now=later(2)) == 0
    statement(1, day=TODAY + timedelta(days=3))

    assert age_breaks(now=later(3)) == 1
    assert age_breaks(now=later(3)) == 0
    broken = Break.objects.get()
    assert (broken.kind, broken.amount_minor, broken.since) == ("ITEM", 500, TODAY)


def test_a_line_of_a_closed_period_is_booked_on_the_first_open_day():
    expect(1, effective_date=date(2026, 10, 20))
    make_periods(now=NOW)
    begin_close(period_id=Period.objects.get(first_date=date(2026, 10, 1)).pk, now=NOW)
    statement(700, day=date(2026, 10, 30))

    match_lines(now=NOW)

    assert Break.objects.get().booking.effective_date == date(2026, 11, 1)
    assert the_bank_agrees()


def _attempts():
    """Raw SQL that must be refused, with the constraint that does it; `{…}` are filled with what there is."""
    leg = "INSERT INTO ledger_matchleg (match_id, line_id, posting_id, amount_minor) VALUES "
    return [
        ("matchleg_with_match", leg + "({match}, {line}, {open}, 1)"),
        ("append_only", "UPDATE ledger_matchleg SET amount_minor = 1"),
        ("append_only", "DELETE FROM ledger_matchleg"),
        ("append_only", "DELETE FROM ledger_match"),
        ("match_fixed", "UPDATE ledger_match SET amount_minor = 1"),
        ("match_reversed", "UPDATE ledger_match SET undone_at = now(), undone_by = 'x', reversal_id = {other}"),
        ("bankline_status_true", "UPDATE ledger_bankline SET status = 'OPEN' WHERE id = {line}"),
        ("bankline_status_true", "UPDATE ledger_bankline SET status = 'MATCHED' WHERE id = {waiting}"),
        ("break_fixed", "UPDATE ledger_break SET amount_minor = 1"),
        ("break_written_off", "UPDATE ledger_break SET state = 'WRITTEN_OFF', reason = 'OTHER', closed_at = now(), closed_by = 'x'"),
        ("break_settled", "UPDATE ledger_break SET state = 'RESOLVED', reason = 'OTHER', closed_at = now(), closed_by = 'x'"),
        ("append_only", "DELETE FROM ledger_break"),
        ("writeoffrule_approved", "INSERT INTO ledger_writeoffrule (currency, cap_break_minor, cap_day_minor, approval_id, set_at) VALUES ('EUR', 1, 1, 1, now())"),
        ("writeoff_approved", "INSERT INTO ledger_writeoff (broken_id, approval_id, transaction_id, currency, amount_minor, day) VALUES ({break}, 1, {other}, 'EUR', 700, now())"),
        ("writeoff_cap_break", "INSERT INTO ledger_writeoff (broken_id, rule_id, transaction_id, currency, amount_minor, day) VALUES ({break}, 99, {other}, 'EUR', 700, now())"),
    ]  # fmt: skip


def _deferred_now(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


@pytest.fixture
def told():
    """One matched line, one that waits, one posting that is open."""
    expect(12_500, "dep-000001")
    lines = statement((12_500, {"end_to_end_id": "dep-000001"}), 700)
    match_lines(now=NOW)
    spare = expect(900)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    return {
        "match": Match.objects.get().pk,
        "line": lines[0].pk,
        "waiting": lines[1].pk,
        "open": spare.pk,
        "other": spare.transaction_id,
        "break": Break.objects.get().pk,
    }


@pytest.mark.parametrize(("constraint", "sql"), _attempts())
def test_the_database_refuses_whoever_goes_around_the_operations(told, constraint, sql):
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        _deferred_now(sql.format(**told))

    name = caught.value.__cause__.diag.constraint_name or ""
    assert name == constraint, str(caught.value)


@pytest.mark.parametrize(
    ("uses", "constraint"),
    [
        ([("line", "open", 1)], "match_line_overused"),
        ([("waiting", "open", 701)], "match_line_overused"),
        ([("waiting", "open", -1)], "match_line_overused"),
        ([("waiting", "taken", 1)], "match_item_overused"),
        ([("waiting", "wallet", 1)], "match_item"),
        ([("waiting", None, 700)], "match_two_sides"),
        ([(None, "open", 700)], "match_two_sides"),
        ([("waiting", "open", 700)], "match_posted"),
    ],
)
def test_the_database_lets_nothing_be_used_beyond_its_amount(told, uses, constraint):
    told["taken"] = MatchLeg.objects.get().posting_id
    told["wallet"] = Posting.objects.exclude(account__chart_account__code="BANK_CLEARING").first().pk
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        match = Match.objects.create(
            matched_by="PERSON",
            score=1,
            currency="EUR",
            amount_minor=1,
            transaction_id=told["other"],
            made_by="x",
            made_at=NOW,
        )
        MatchLeg.objects.bulk_create(
            MatchLeg(match=match, line_id=told.get(line), posting_id=told.get(item), amount_minor=amount)
            for line, item, amount in uses
        )
        _deferred_now("SELECT 1")

    assert caught.value.__cause__.diag.constraint_name == constraint


def test_a_journal_cannot_call_itself_a_write_off():
    clearing = house_account(chart_code="BANK_CLEARING", currency="EUR", now=NOW)
    costs = house_account(chart_code="RECONCILIATION_DIFFERENCES", currency="EUR", now=NOW)

    with pytest.raises(IntegrityError, match="write-off"), transaction.atomic():
        post(draft=draft((costs, 5), (clearing, -5), kind="WRITE_OFF_SMALL"), now=NOW)
        _deferred_now("SELECT 1")

    assert not LedgerTransaction.objects.filter(kind="WRITE_OFF_SMALL").exists()


@pytest.mark.django_db(transaction=True)
def test_of_two_people_with_the_same_line_one_is_told_that_it_is_matched():
    postings = [expect(700), expect(700)]
    (line,) = statement(700)
    match_lines(now=NOW)

    done = together(
        *(
            partial(confirm_match, line_ids=[line.public_id], posting_ids=[posting.pk], now=NOW)
            for posting in postings
        )
    )

    assert sorted(type(one).__name__ for one in done) == ["LineUsed", "Match"]
    assert MatchLeg.objects.get().amount_minor == 700
    assert the_bank_agrees()
    assert Account.objects.filter(chart_account__code="UNALLOCATED_RECEIPTS").count() == 1
    assert bank_account().account_id == Account.objects.get(chart_account__code="CLIENT_MONEY_BANK").pk
    assert Money(holds("BANK_CLEARING"), "EUR") == Money(700, "EUR")
