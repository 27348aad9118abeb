"""Manual journals: two people, what was written is what is posted, and nothing of it changes afterwards."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from flowlet.backoffice.approvals.errors import ApprovalPending, OwnApproval
from flowlet.backoffice.models import Approval, ApprovalStatus, ApprovalVote
from flowlet.core.money import Money
from flowlet.identity.models import User
from ledger import errors
from ledger.choices import JournalStatus
from ledger.models.journals import JournalDraft
from ledger.models.periods import Period
from ledger.models.transactions import LedgerTransaction
from ledger.operations.journals import (
    WrittenLine,
    ask_to_post,
    ask_to_reverse,
    copy_journal,
    discard_journal,
    draft_correction,
    find_account,
    save_journal,
)
from ledger.operations.periods import begin_close, continue_close
from ledger.operations.posting import post
from ledger.queries.verification import verify
from ledger.tests.booking import agree, closed_month, month
from ledger.tests.factories import NOW, TODAY, bank, fund, move, wallet_account
from ledger.tests.factories import draft as a_draft

pytestmark = pytest.mark.django_db


@pytest.fixture
def maker(finance: User) -> User:
    return finance


@pytest.fixture
def checker(finance_lead: User) -> User:
    return finance_lead


def written(
    maker: User, *lines: tuple[str, int], journal: JournalDraft | None = None, **fields
) -> JournalDraft:
    found = [
        (find_account(words, now=NOW), minor)
        for words, minor in lines or (("5100 EUR", 250), ("1010 EUR", -250))
    ]
    values = {"title": "Bank charge", "text": "October", "effective_date": TODAY, **fields}
    return save_journal(
        journal_id=journal.public_id if journal else None,
        maker_id=maker.pk,
        lines=[WrittenLine(account.pk, Money(minor, account.currency)) for account, minor in found],
        now=NOW,
        **values,
    )


def asked(draft: JournalDraft, maker: User) -> Approval:
    return ask_to_post(
        journal_id=draft.public_id, maker_id=maker.pk, reason_code="MONTH_END", note="", now=NOW
    )


def refused(sql: str, *values: object) -> str:
    with pytest.raises(IntegrityError) as refusal, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        cursor.execute(sql, values)
        cursor.execute("SET CONSTRAINTS manual_as_written IMMEDIATE")
    return str(refusal.value.__cause__.diag.constraint_name)


def test_a_journal_is_posted_by_two_people(maker: User, checker: User) -> None:
    draft = written(maker)
    approval = asked(draft, maker)
    with pytest.raises(OwnApproval):
        agree(approval, _also_checks(maker))

    answered = agree(approval, checker)

    posted = JournalDraft.objects.get(pk=draft.pk).transaction
    assert answered.status == ApprovalStatus.EXECUTED
    assert (posted.kind, posted.approval_id, posted.source_key) == ("MANUAL", approval.pk, draft.public_id)
    assert sorted(posted.postings.values_list("amount", flat=True)) == [-250, 250]
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert verify().clean


def _also_checks(user: User) -> User:
    user.groups.add(*User.objects.get(email="grete@house.example").groups.all())
    return User.objects.get(pk=user.pk)


def test_a_journal_that_does_not_balance_is_kept_but_not_asked_for(maker: User) -> None:
    draft = written(maker, ("5100 EUR", 250), ("1010 EUR", -249))

    with pytest.raises(errors.UnbalancedTransaction):
        asked(draft, maker)

    asked(written(maker, journal=draft), maker)
    with pytest.raises(errors.JournalWaiting):
        written(maker, journal=draft)
    with pytest.raises(errors.JournalWaiting):
        asked(draft, maker)


def test_only_its_maker_changes_a_journal_and_nobody_a_final_one(maker: User, checker: User) -> None:
    draft = written(maker)

    with pytest.raises(errors.JournalNotYours):
        written(checker, journal=draft)
    discard_journal(journal_id=draft.public_id, maker_id=maker.pk, now=NOW)
    with pytest.raises(errors.JournalFinal):
        written(maker, journal=draft)

    copied = copy_journal(journal_id=draft.public_id, maker_id=checker.pk, now=NOW)
    assert (copied.maker_id, copied.lines.count(), copied.status) == (checker.pk, 2, JournalStatus.DRAFT)


def test_a_correction_reverses_and_posts_anew_under_one_approval(maker: User, checker: User) -> None:
    payer, payee = wallet_account(), wallet_account()
    fund(payer, 1_000)
    wrong = move(payer, payee, 300).public_id
    draft = draft_correction(transaction_public_id=wrong, maker_id=maker.pk, now=NOW)
    draft = written(
        maker,
        (payer.public_id, 30),
        (payee.public_id, -30),
        journal=draft,
        effective_date=draft.effective_date,
    )

    approval = agree(asked(draft, maker), checker)

    both = LedgerTransaction.objects.filter(approval=approval).order_by("pk")
    assert [one.kind for one in both] == ["REVERSAL", "MANUAL"]
    assert both[0].reverses.public_id == wrong
    assert both[1].context["corrects"] == wrong
    assert payer.postings.latest("account_seq").balance_after == 970
    with pytest.raises(errors.AlreadyReversed):
        draft_correction(transaction_public_id=wrong, maker_id=maker.pk, now=NOW)


def test_a_reversal_by_hand_takes_two_people_and_an_open_day(finance_lead: User, second_lead: User) -> None:
    payer, payee = wallet_account(), wallet_account()
    fund(payer, 1_000)
    original = move(payer, payee, 300, effective_date=date(2026, 10, 5)).public_id
    closed_month()
    ask = {
        "transaction_public_id": original,
        "maker_id": finance_lead.pk,
        "reason_code": "WRONG_ACCOUNT",
        "note": "",
        "now": NOW,
    }
    approval = ask_to_reverse(**ask)
    with pytest.raises(ApprovalPending), transaction.atomic():
        ask_to_reverse(**ask)

    agree(approval, second_lead)

    reversal = LedgerTransaction.objects.get(reverses__public_id=original)
    assert (reversal.effective_date, reversal.approval_id) == (TODAY, approval.pk)


def test_a_journal_into_a_closing_month_needs_the_right_for_it(
    maker: User, finance_lead: User, second_lead: User
) -> None:
    day = date(2026, 10, 31)
    begin_close(period_id=month(2026, 10).pk, now=NOW)

    with pytest.raises(errors.PeriodClosed):
        asked(written(maker, effective_date=day), maker)
    answered = agree(asked(written(finance_lead, effective_date=day), finance_lead), second_lead)

    assert answered.status == ApprovalStatus.EXECUTED


def test_a_month_closed_meanwhile_fails_the_request(maker: User, checker: User) -> None:
    approval = asked(written(maker, effective_date=date(2026, 10, 31)), maker)
    october = month(2026, 10)
    # Past the steps, which would name the journal.
    for status in ("CLOSING", "CLOSED"):
        Period.objects.filter(pk=october.pk).update(status=status)

    answered = agree(approval, checker)

    assert (answered.status, answered.outcome_code) == (ApprovalStatus.FAILED, "period_closed")
    assert not LedgerTransaction.objects.exists()


def test_raw_sql_posts_no_manual_journal_but_what_two_people_agreed_on(maker: User, checker: User) -> None:
    draft = written(maker)
    approval = agree(asked(draft, maker), checker)
    header = """INSERT INTO ledger_transaction (public_id, kind, source, source_key, fingerprint, effective_date,
        leg_count, approval_id, actor, context, quote, xid, posted_at) VALUES
        ('txn_raw', 'MANUAL', 'raw', %s, '', '2026-11-02', 2, %s, 'raw', '{}', '', 0, now())"""

    at_once, at_commit = "transaction_approved", "manual_as_written"
    assert refused(header, "raw", None) == at_once
    assert refused(header, "raw", approval.pk) == at_once
    # The right approval under another source: the journal has its transaction already.
    assert refused(header, draft.public_id, approval.pk) == at_commit
    assert refused("UPDATE ledger_journaldraft SET title = 'x' WHERE id = %s", draft.pk) == "journal_final"
    assert refused("DELETE FROM ledger_journaldraft WHERE id = %s", draft.pk) == "journal_final"
    assert (
        refused("UPDATE ledger_journalline SET amount_minor = 1 WHERE draft_id = %s", draft.pk)
        == "journal_final"
    )
    assert refused("DELETE FROM ledger_journalline WHERE draft_id = %s", draft.pk) == "journal_final"


def test_an_approval_carries_no_other_legs_than_the_journals(maker: User, checker: User) -> None:
    draft = written(maker)
    approval = asked(draft, maker)
    ApprovalVote.objects.create(
        approval=approval,
        maker=maker,
        checker=checker,
        decision="APPROVE",
        seen_hash=approval.content_hash,
        voted_at=NOW,
    )
    charges, own = (find_account(words, now=NOW) for words in ("5100 EUR", "1010 EUR"))
    fields = {"kind": "MANUAL", "source": "journal", "key": draft.public_id, "approval_id": approval.pk}

    with pytest.raises(IntegrityError, match="not what its journal says"), transaction.atomic():
        posted = post(draft=a_draft((charges, 900), (own, -900), **fields), now=NOW)
        values = {"status": "POSTED", "approval": approval, "transaction_id": posted.transaction_id}
        JournalDraft.objects.filter(pk=draft.pk).update(**values)
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_a_journal_changed_after_it_was_asked_for_is_void(maker: User, checker: User) -> None:
    draft = written(maker)
    approval = asked(draft, maker)
    JournalDraft.objects.filter(pk=draft.pk).update(changed_at=NOW)
    draft.lines.filter(position=1).update(amount_minor=900)
    draft.lines.filter(position=2).update(amount_minor=-900)

    answered = agree(approval, checker)

    assert answered.status == ApprovalStatus.VOID


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ("", "No account answers"),
        ("nobody", "No account answers"),
        ("acc_01J9ZC5B7T0000000000000000", "There is no account"),
        ("77 EUR", "There is no 77"),
        ("1 EUR", "takes no postings"),
        ("wallet", "Several accounts"),
    ],
)
def test_words_that_name_no_account_say_why(words: str, fault: str) -> None:
    wallet_account()
    wallet_account("USD")

    with pytest.raises(errors.UnknownAccountName, match=fault):
        find_account(words, now=NOW)


def test_accounts_are_found_by_number_id_and_name() -> None:
    wallet = wallet_account()

    assert find_account(f"{wallet.public_id} EUR", now=NOW) == wallet
    assert find_account("wallet", now=NOW) == wallet
    assert find_account("1000 Client money at banks EUR", now=NOW) == bank()
    assert find_account("5100 JPY", now=NOW).currency == "JPY"


def accrued(maker: User, day: date) -> JournalDraft:
    return written(
        maker,
        ("5000 EUR", 900),
        ("2100 EUR", -900),
        title="Fees not invoiced",
        template="accrued_cost",
        effective_date=day,
    )


def test_an_accrual_lies_on_a_periods_last_day_and_is_undone_on_the_day_after_under_one_approval(
    maker: User, checker: User
) -> None:
    month(2026, 10)
    draft = accrued(maker, date(2026, 10, 31))
    approval = asked(draft, maker)

    assert approval.evidence["undone_on"] == "2026-11-01"
    assert agree(approval, checker).status == ApprovalStatus.EXECUTED

    booked, mirror = LedgerTransaction.objects.filter(approval=approval).order_by("pk")
    assert (booked.kind, booked.effective_date, mirror.effective_date) == (
        "MANUAL",
        date(2026, 10, 31),
        date(2026, 11, 1),
    )
    assert mirror.reverses == booked
    assert sorted(mirror.postings.values_list("amount", flat=True)) == [-900, 900]
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert verify().clean


@pytest.mark.parametrize("months", [(), (10,)])
def test_an_accrual_for_another_day_is_refused_before_a_second_person_is_asked(
    maker: User, months: tuple[int, ...]
) -> None:
    for number in months:
        month(2026, number)
    draft = accrued(maker, date(2026, 10, 30))

    with pytest.raises(errors.NotLastDay, match="2026-10-31"):
        asked(draft, maker)


def test_an_accrual_is_copied_for_the_period_that_closes_next(maker: User, checker: User) -> None:
    closed_month(2026, 9)
    month(2026, 10)
    draft = accrued(maker, date(2026, 10, 31))

    assert copy_journal(journal_id=draft.public_id, maker_id=checker.pk, now=NOW).effective_date == date(
        2026, 10, 31
    )


def test_a_close_names_the_journals_that_wait_for_a_second_person(maker: User, checker: User) -> None:
    october = month(2026, 10)
    month(2026, 11)
    waits = asked(accrued(maker, date(2026, 10, 31)), maker)
    asked(written(maker, title="Of another month", effective_date=TODAY), maker)
    written(maker, title="Asked of nobody", effective_date=date(2026, 10, 20))
    begin_close(period_id=october.pk, now=NOW)

    points = continue_close(period_id=october.pk, now=NOW)

    assert points == ("Journal \N{LEFT DOUBLE QUOTATION MARK}Fees not invoiced\N{RIGHT DOUBLE QUOTATION MARK} of 2026-10-31 waits for a second person.",)  # fmt: skip
    assert agree(waits, checker).status == ApprovalStatus.EXECUTED
    assert continue_close(period_id=october.pk, now=NOW) == ()
    assert LedgerTransaction.objects.get(reverses__isnull=False).effective_date == date(2026, 11, 1)


def test_a_close_does_not_wait_for_a_request_whose_time_is_over(maker: User) -> None:
    october = month(2026, 10)
    asked(accrued(maker, date(2026, 10, 31)), maker)
    begin_close(period_id=october.pk, now=NOW)

    assert continue_close(period_id=october.pk, now=NOW + timedelta(hours=73)) == ()
