"""Real threads: a posting is either in the closing or refused, however close it comes to the close."""

from datetime import date
from threading import Event

import pytest
from django.db import connection, transaction
from django.db.models import Sum

from ledger.errors import PeriodClosed
from ledger.models.periods import Period, PeriodTotal
from ledger.models.transactions import Posting
from ledger.operations.accounts import house_account
from ledger.operations.periods import begin_close, continue_close
from ledger.operations.posting import Posted, post
from ledger.tests.booking import month
from ledger.tests.factories import NOW, bank, draft
from ledger.tests.threads import together

pytestmark = pytest.mark.django_db(transaction=True)
DAY = date(2026, 10, 15)


def test_a_close_waits_for_a_posting_under_way_and_counts_it() -> None:
    period, debit = month(2026, 10), bank()
    credit = house_account(chart_code="EQUITY", currency="EUR", now=NOW)
    posted, closing = Event(), Event()

    def slow() -> Posted:
        with transaction.atomic():
            answer = post(draft=draft((debit, 700), (credit, -700), effective_date=DAY), now=NOW)
            posted.set()
            closing.wait(5)
            # The other waits for our lock by now, or will.
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_sleep(0.2)")
            assert Period.objects.get(pk=period.pk).status == "OPEN"
        return answer

    def close() -> str:
        posted.wait(5)
        closing.set()
        return begin_close(period_id=period.pk, now=NOW).status

    answers = together(slow, close)
    assert continue_close(period_id=period.pk, now=NOW) == ()

    assert isinstance(answers[0], Posted)
    assert answers[1] == "CLOSING"
    assert PeriodTotal.objects.get(chart_account__code="EQUITY").closing == -700


def test_no_posting_slips_into_a_period_while_it_closes() -> None:
    period, debit = month(2026, 10), bank()
    credit = house_account(chart_code="EQUITY", currency="EUR", now=NOW)
    other_month, begun = date(2026, 11, 3), Event()

    def book(day: date) -> list[object]:
        answers: list[object] = []
        for _ in range(15):
            try:
                answers.append(post(draft=draft((debit, 1), (credit, -1), effective_date=day), now=NOW))
                begun.set()
            except PeriodClosed as refusal:
                answers.append(refusal)
        return answers

    def close() -> tuple[str, ...]:
        begun.wait(5)
        begin_close(period_id=period.pk, now=NOW)
        return continue_close(period_id=period.pk, now=NOW)

    *booked, closed = together(*[lambda: book(DAY)] * 5, lambda: book(other_month), close)

    late = [answer for answers in booked[:5] for answer in answers]
    inside = Posting.objects.filter(effective_date=DAY, amount__gt=0)
    assert closed == ()
    assert inside.count() == sum(isinstance(answer, Posted) for answer in late)
    assert len(late) == 75
    assert all(isinstance(answer, Posted) for answer in booked[5])
    closing = PeriodTotal.objects.get(chart_account__code="EQUITY").closing
    assert closing == -(inside.aggregate(sum=Sum("amount"))["sum"] or 0)
