"""The months of the books: nothing gets into a closed one, however it comes, and closings are what was booked."""

from datetime import date, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Sum

from flowlet.backoffice.models import ApprovalStatus
from flowlet.identity.models import User
from ledger.choices import PeriodStatus
from ledger.closing import CLOSING_STEPS, ClosingStep
from ledger.errors import PeriodClosed, PeriodOutOfOrder, PeriodStatusConflict
from ledger.models.periods import Period, PeriodBalance, PeriodClosing, PeriodStep, PeriodTotal
from ledger.models.transactions import LedgerTransaction, Posting
from ledger.operations.accounts import house_account
from ledger.operations.checking import prove
from ledger.operations.periods import (
    ask_reopen,
    begin_close,
    close_for_good,
    continue_close,
    make_periods,
    stop_close,
)
from ledger.operations.posting import post, post_many
from ledger.queries.periods import closed_until, list_closing, value_date
from ledger.queries.seals import get_unsealed
from ledger.tests.booking import agree, close, closed_month, month
from ledger.tests.factories import NOW, bank, draft, fund, wallet_account

pytestmark = pytest.mark.django_db

IN_OCTOBER = date(2026, 10, 15)
LATER = datetime(2027, 2, 3, 9, tzinfo=NOW.tzinfo)


def book(minor: int, day: date, **fields: object) -> str:
    return post(
        draft=draft((bank(), minor), (house(), -minor), effective_date=day, **fields), now=NOW
    ).public_id


def house(code: str = "EQUITY") -> object:
    return house_account(chart_code=code, currency="EUR", now=NOW)


def refused(sql: str, *values: object) -> str:
    with pytest.raises(IntegrityError) as refusal, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, values)
    return str(refusal.value.__cause__.diag.constraint_name)


def test_periods_are_made_ahead_once_from_the_month_of_the_earliest_posting() -> None:
    book(500, date(2026, 9, 30))

    assert make_periods(now=NOW) == 6
    assert make_periods(now=NOW) == 0

    assert [str(one) for one in Period.objects.order_by("first_date")][::5] == [
        "September 2026",
        "February 2027",
    ]


def test_days_without_a_period_are_open_until_the_first_period_closes() -> None:
    book(500, date(2020, 1, 1))
    period = month(2026, 10)
    book(500, date(2020, 1, 2))
    book(500, date(2035, 1, 1))

    close(period)

    book(500, date(2035, 1, 2))
    with pytest.raises(PeriodClosed), transaction.atomic():
        book(500, date(2020, 1, 3))
    assert PeriodTotal.objects.get(chart_account__code="EQUITY").closing == -1_000


def test_a_closed_period_refuses_and_names_the_first_open_day() -> None:
    closed_month()

    with pytest.raises(PeriodClosed) as refusal, transaction.atomic():
        book(500, IN_OCTOBER)

    assert refusal.value.code == "period_closed"
    assert refusal.value.http_status == 422
    assert refusal.value.fields == {"effective_date": "2026-10-15", "first_open": "2026-11-01"}
    assert closed_until() == date(2026, 10, 31)
    assert value_date(IN_OCTOBER) == date(2026, 11, 1)
    assert value_date(date(2026, 11, 7)) == date(2026, 11, 7)
    assert not Posting.objects.exists()


def test_one_late_draft_stops_a_whole_batch() -> None:
    closed_month()
    drafts = [
        draft((bank(), 5), (house(), -5), effective_date=day) for day in (date(2026, 11, 2), IN_OCTOBER)
    ]

    with pytest.raises(PeriodClosed), transaction.atomic():
        post_many(drafts=drafts, now=NOW)

    assert not LedgerTransaction.objects.exists()


def test_a_key_that_came_before_is_answered_though_its_period_is_closed_now() -> None:
    period = month(2026, 10)
    first = book(500, IN_OCTOBER, key="once")

    close(period)

    assert book(500, IN_OCTOBER, key="once") == first


def test_a_period_that_is_being_closed_takes_only_entries_of_the_close() -> None:
    period = month(2026, 10)
    begin_close(period_id=period.pk, now=NOW)

    book(500, IN_OCTOBER, kind="YEAR_END")
    with pytest.raises(PeriodClosed), transaction.atomic():
        book(500, IN_OCTOBER)

    stop_close(period_id=period.pk, now=NOW)
    book(500, IN_OCTOBER)


def test_closings_are_what_was_booked_and_go_on_from_the_month_before() -> None:
    september, october = month(2026, 9), month(2026, 10)
    wallet = wallet_account()
    for minor, day in ((700, date(2026, 9, 2)), (300, IN_OCTOBER), (90, date(2026, 11, 2))):
        post(draft=draft((bank(), minor), (wallet, -minor), effective_date=day), now=NOW)
    post(draft=draft((wallet, 50), (bank(), -50), effective_date=IN_OCTOBER), now=NOW)

    close(september)
    close(october)

    row = PeriodTotal.objects.get(period=october, chart_account__code="CUSTOMER_WALLETS")
    assert (row.debit, row.credit, row.closing) == (50, 300, -950)
    assert PeriodBalance.objects.get(period=october, account=wallet).closing == -950
    assert PeriodBalance.objects.get(period=september, account=wallet).closing == -700
    assert list(PeriodClosing.objects.order_by("pk").values_list("version", "postings")) == [(1, 2), (1, 4)]


def test_periods_close_in_their_order_and_not_before_they_are_over() -> None:
    make_periods(now=NOW)
    november, december = Period.objects.order_by("first_date")[:2]

    with pytest.raises(PeriodOutOfOrder):
        begin_close(period_id=november.pk, now=NOW)
    with pytest.raises(PeriodOutOfOrder):
        begin_close(period_id=december.pk, now=LATER)
    with pytest.raises(PeriodStatusConflict):
        continue_close(period_id=december.pk, now=LATER)

    assert set(Period.objects.values_list("status", flat=True)) == {PeriodStatus.OPEN}


def test_a_close_that_breaks_off_goes_on_where_it_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    ran, points = [], ["Three breaks have no reason."]
    steps = dict(CLOSING_STEPS.items())
    for order, name in ((1, "first"), (2, "second")):
        steps[name] = ClosingStep(
            order=order,
            title=name,
            check=lambda *_, name=name: points if name == "second" else (),
            run=lambda *_, name=name: ran.append(name) or book(10, IN_OCTOBER, kind="YEAR_END"),
        )
    monkeypatch.setattr(CLOSING_STEPS, "_entries", steps)
    period = month(2026, 10)
    begin_close(period_id=period.pk, now=NOW)

    assert continue_close(period_id=period.pk, now=NOW) == ("Three breaks have no reason.",)
    booked = LedgerTransaction.objects.count()
    points.clear()
    assert continue_close(period_id=period.pk, now=NOW) == ()

    assert ran == ["first", "second", "second"]
    assert (booked, LedgerTransaction.objects.count()) == (1, 2)
    assert PeriodStep.objects.filter(period=period).count() == len(steps)
    assert Period.objects.get().status == PeriodStatus.CLOSED


def test_what_other_months_book_does_not_stop_a_close_but_what_it_books_itself_must_be_sealed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    steps, waiting = dict(CLOSING_STEPS.items()), []
    steps["traffic"] = ClosingStep(
        order=CLOSING_STEPS.get("sealed").order + 1,
        title="traffic",
        check=lambda *_: waiting.append(get_unsealed().transactions) or (),
        run=lambda *_: book(10, date(2026, 11, 3), kind="YEAR_END"),
    )
    monkeypatch.setattr(CLOSING_STEPS, "_entries", steps)
    october, november = month(2026, 10), month(2026, 11)

    begin_close(period_id=october.pk, now=NOW)
    closed = continue_close(period_id=october.pk, now=NOW)
    begin_close(period_id=november.pk, now=LATER)
    first, second = [continue_close(period_id=november.pk, now=LATER) for _ in range(2)]

    assert closed == ()
    assert waiting[0] == 1
    assert first == ("1 transactions up to 2026-11-30 are not sealed yet.",)
    assert second == ()


def test_a_soft_close_refuses_ordinary_postings_and_ends_when_somebody_says_so() -> None:
    october = month(2026, 10)
    begin_close(period_id=october.pk, soft=True, now=NOW)

    with pytest.raises(PeriodClosed), transaction.atomic():
        book(500, IN_OCTOBER)
    waiting = continue_close(period_id=october.pk, now=NOW)
    by_itself = list_closing()
    close_for_good(period_id=october.pk, now=NOW)

    assert (waiting, by_itself) == (("It is closed softly, until somebody closes it for good.",), [])
    assert list_closing() == [october]
    assert continue_close(period_id=october.pk, now=NOW) == ()
    assert refused("UPDATE ledger_period SET soft = true") == "period_soft"
    with pytest.raises(PeriodStatusConflict):
        close_for_good(period_id=october.pk, now=NOW)


def test_a_closing_made_up_with_its_digest_is_found_by_the_chain() -> None:
    book(500, IN_OCTOBER)
    period = closed_month()
    with connection.cursor() as cursor:
        cursor.execute("SELECT n, transactions FROM ledger_block ORDER BY n DESC LIMIT 1")
        sealed_in = cursor.fetchone()
    clean = prove(now=NOW).findings

    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE ledger_periodtotal SET debit = debit + 1, credit = credit + 1")
        cursor.execute("UPDATE ledger_periodclosing SET digest = ledger_period_digest(period_id, version)")
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")

    assert (sealed_in, clean) == ((PeriodClosing.objects.get(period=period).block_n, 0), [])
    found = [str(one) for one in prove(now=NOW).findings]
    assert any(f"block {sealed_in[0]}" in one and "hash" in one for one in found), found


def test_the_last_month_of_the_year_moves_the_result_to_retained_earnings() -> None:
    december = month(2026, 12)
    fees, cost = house("FEE_INCOME"), house("PROCESSING_COST")
    post(draft=draft((bank(), 900), (fees, -900), effective_date=date(2026, 12, 3)), now=NOW)
    post(draft=draft((cost, 250), (bank(), -250), effective_date=date(2026, 12, 4)), now=NOW)

    begin_close(period_id=december.pk, now=LATER)
    assert continue_close(period_id=december.pk, now=LATER) == ()

    closings = dict(PeriodTotal.objects.values_list("chart_account__code", "closing"))
    assert closings == {
        "CLIENT_MONEY_BANK": 650,
        "RETAINED_EARNINGS": -650,
        "FEE_INCOME": 0,
        "PROCESSING_COST": 0,
    }
    assert LedgerTransaction.objects.filter(kind="YEAR_END").count() == 1


def test_the_latest_closed_period_is_opened_by_two_people_and_closes_as_its_next_version(
    finance_lead: User, second_lead: User
) -> None:
    september, october = month(2026, 9), month(2026, 10)
    close(september)
    close(october)
    ask = {"maker_id": finance_lead.pk, "reason_code": "LATE_BANK_FILE", "note": "", "now": NOW}
    with pytest.raises(PeriodOutOfOrder):
        ask_reopen(period_id=september.pk, **ask)

    answered = agree(ask_reopen(period_id=october.pk, **ask), second_lead)
    book(120, IN_OCTOBER)
    close(october)

    assert answered.status == ApprovalStatus.EXECUTED
    assert Period.objects.get(pk=october.pk).version == 2
    of_suspense = PeriodTotal.objects.filter(period=october, chart_account__code="EQUITY")
    assert list(of_suspense.values_list("version", "closing")) == [(2, -120)]


def test_close_and_reopen_change_no_posting(finance_lead: User, second_lead: User) -> None:
    fund(wallet_account(), 5_000)
    book(700, IN_OCTOBER)
    before = list(Posting.objects.order_by("pk").values())

    october = closed_month()
    ask = ask_reopen(period_id=october.pk, maker_id=finance_lead.pk, reason_code="MISTAKE", note="", now=NOW)
    agree(ask, second_lead)

    assert Period.objects.get().status == PeriodStatus.OPEN
    assert list(Posting.objects.order_by("pk").values()) == before
    assert PeriodTotal.objects.aggregate(sum=Sum("closing"))["sum"] == 0


def test_what_was_agreed_for_one_opening_opens_nothing_a_second_time(
    finance_lead: User, second_lead: User
) -> None:
    october = closed_month()
    asked = []
    for _ in range(2):
        ask = ask_reopen(
            period_id=october.pk, maker_id=finance_lead.pk, reason_code="MISTAKE", note="", now=NOW
        )
        asked.append(agree(ask, second_lead))
        close(october)

    update = "UPDATE ledger_period SET status = 'OPEN', reopen_approval_id = %s WHERE id = %s"

    assert [refused(update, used.pk, october.pk) for used in asked] == ["period_reopened_by_two"] * 2


def test_raw_sql_can_neither_post_late_nor_bend_a_period() -> None:
    book(700, IN_OCTOBER)
    october, november = month(2026, 10), month(2026, 11)
    close(october)
    header = """INSERT INTO ledger_transaction (public_id, kind, source, source_key, fingerprint, effective_date,
        leg_count, reverses_id, actor, context, quote, xid, posted_at) VALUES
        ('txn_raw', %s, 'raw', '1', '', '2026-10-15', 2, NULL, 'raw', '{}', '', 0, now())"""
    update = "UPDATE ledger_period SET {} WHERE id = %s"

    assert refused(header, "RAW") == "period_closed"
    assert refused(header, "YEAR_END") == "period_closed"
    assert refused(header, "MANUAL") == "transaction_approved"
    assert refused(update.format("status = 'OPEN'"), october.pk) == "period_reopened_by_two"
    assert refused(update.format("last_date = '2026-10-05'"), october.pk) == "period_fixed"
    assert refused(update.format("status = 'CLOSED'"), november.pk) == "period_status_order"
    assert refused("DELETE FROM ledger_period WHERE id = %s", october.pk) == "period_fixed"
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert refused("TRUNCATE ledger_period CASCADE") == "period_fixed"
    assert refused("UPDATE ledger_periodtotal SET closing = 0") != ""
    assert refused("DELETE FROM ledger_periodbalance") != ""
    copied = "INSERT INTO {0} ({1}) SELECT {1} FROM {0} LIMIT 1"
    columns = "period_id, version, chart_account_id, currency, debit, credit, closing"
    assert refused(copied.format("ledger_periodtotal", columns)) == "period_guarded"
    insert = "INSERT INTO ledger_period (public_id, first_date, last_date, status, version, attempt, changed_at, changed_by) VALUES ('per_x', %s, %s, %s, 0, 0, now(), 'raw')"
    assert refused(insert, "2027-01-01", "2027-01-31", "OPEN") == "period_order"
    assert refused(insert, "2026-12-01", "2026-12-31", "CLOSED") == "period_fixed"


def test_a_version_counts_itself_whatever_was_sent() -> None:
    october = month(2026, 10)

    Period.objects.filter(pk=october.pk).update(status="CLOSING", attempt=70, version=70)
    Period.objects.filter(pk=october.pk).update(status="CLOSED", version=70)

    assert Period.objects.values_list("version", "attempt").get() == (1, 1)
    assert october.first_date + timedelta(days=30) == closed_until()
