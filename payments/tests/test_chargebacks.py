"""Disputed top-ups: what Stripe takes back is booked from its own lines, and what is won comes back; each once."""

from datetime import timedelta

import pytest

from flowlet.core import clock
from ledger.models.accounts import Balance
from ledger.models.reconciliation import ProcessorLine
from ledger.models.transactions import LedgerTransaction
from ledger.operations.chargebacks import book_chargebacks
from ledger.operations.matching import match_lines
from ledger.operations.processor_fees import book_processor_fees
from ledger.operations.processor_lines import import_stripe, record_processor_lines
from ledger.queries.holds import owed_by
from ledger.queries.matching import list_open_items, with_facts
from ledger.queries.three_way import list_payouts, views_of
from ledger.queries.verification import verify
from ledger.tests.banks import statement
from ledger.tests.booking import closed_month
from ledger.tests.factories import move, wallet_account
from ledger.tests.holding import ask_now
from payments.tests.outside import clearing, give_back, let_pass, sent, top_up, work
from wallets.operations.wallets import freeze_wallet
from wallets.tests.factories import NOW, holds, make_customer, make_wallet

pytestmark = pytest.mark.django_db
DISPUTED, _OPENED_S, _WON_S = "pm_card_createDispute", 40, 700


@pytest.fixture
def wallet(customer):
    return make_wallet(customer)


def book() -> int:
    """Read the processor's lines and book what they say, twice: the second time changes nothing."""
    span = {"since": clock.now() - timedelta(days=1), "until": clock.now() + timedelta(days=1)}
    import_stripe(**span)
    book_processor_fees(now=clock.now())
    done = book_chargebacks(now=clock.now())
    assert (
        import_stripe(**span),
        book_processor_fees(now=clock.now()),
        book_chargebacks(now=clock.now()),
    ) == (
        0,
        0,
        0,
    )
    ask_now()
    return done


def at_stripe(vendors) -> int:
    return vendors.vendors["stripe"].books()["balance"]["eur"]


def suspense() -> int:
    rows = Balance.objects.filter(account__chart_account__code="SUSPENSE")
    return sum(rows.values_list("posted", flat=True))


def test_a_dispute_takes_the_money_from_the_wallet_and_a_won_one_gives_it_back(wallet, vendors):
    payment = top_up(wallet, card=DISPUTED)
    let_pass(vendors, _OPENED_S)

    assert book() == 1
    assert (holds(wallet), clearing()) == (0, at_stripe(vendors))
    taken = LedgerTransaction.objects.get(kind="CHARGEBACK")
    assert taken.context["payment"] == payment.public_id

    let_pass(vendors, _WON_S)
    assert book() == 1
    assert (holds(wallet), clearing()) == (5_000, at_stripe(vendors))
    assert LedgerTransaction.objects.filter(kind="CHARGEBACK_REVERSED").count() == 1
    assert verify().clean


def test_what_the_wallet_no_longer_has_its_owner_owes_until_it_is_won(wallet, vendors):
    top_up(wallet, card=DISPUTED)
    move(wallet.account, wallet_account(), 4_000)
    let_pass(vendors, _OPENED_S)

    book()
    assert (holds(wallet), owed_by(wallet.account_id).minor) == (0, 4_000)

    let_pass(vendors, _WON_S)
    book()
    assert (holds(wallet), owed_by(wallet.account_id).minor) == (1_000, 0)
    assert clearing() == at_stripe(vendors)


def test_what_is_won_for_a_frozen_wallet_waits_on_suspense(wallet, vendors):
    top_up(wallet, card=DISPUTED)
    let_pass(vendors, _OPENED_S)
    book()
    freeze_wallet(wallet_id=wallet.pk, by="HOUSE", reason_code="FRAUD_SUSPECTED", now=NOW)

    let_pass(vendors, _WON_S)
    book()

    assert (holds(wallet), suspense(), clearing()) == (0, 5_000, at_stripe(vendors))


def test_a_dispute_of_a_payment_that_nobody_knows_is_booked_against_suspense(db):
    line = {"processor": "stripe", "currency": "EUR", "created_at": NOW, "available_at": NOW}
    record_processor_lines(
        [
            ProcessorLine(
                reference="txn_1",
                kind="dispute",
                amount_minor=-700,
                fee_minor=15,
                net_minor=-715,
                source="dp_1",
                intent="pi_unknown",
                **line,
            )
        ]
    )

    assert (book_processor_fees(now=NOW), book_chargebacks(now=NOW)) == (1, 1)
    assert (suspense(), clearing()) == (-700, -715)


def test_what_a_closed_month_brought_is_booked_on_the_first_open_day(db):
    closed_month(2026, 10)
    late = NOW - timedelta(days=5)
    record_processor_lines(
        [
            ProcessorLine(
                processor="stripe",
                reference="txn_1",
                kind="dispute",
                amount_minor=-700,
                fee_minor=15,
                net_minor=-715,
                currency="EUR",
                created_at=late,
                available_at=late,
            )
        ]
    )

    assert (book_processor_fees(now=NOW), book_chargebacks(now=NOW)) == (1, 1)
    days = {str(one) for one in LedgerTransaction.objects.values_list("effective_date", flat=True)}
    assert days == {"2026-11-01"}


def test_a_disputed_payment_cannot_be_refunded_besides(customer, vendors):
    wallet = make_wallet(customer)
    payment = top_up(wallet, card=DISPUTED)
    let_pass(vendors, _OPENED_S)

    refund = give_back(payment, 5_000)
    work()

    refund.refresh_from_db()
    assert (refund.status, refund.vendor_code) == ("FAILED", "charge_disputed")
    assert holds(wallet) == 5_000


def test_a_payout_by_schedule_is_seen_from_three_sides_and_finds_the_postings_of_what_it_holds(
    wallet, vendors
):
    other = make_wallet(make_customer(wallet.partner, "Ola Nilsen"))
    top_up(other, 8_000)
    top_up(wallet, card=DISPUTED)
    let_pass(vendors, _OPENED_S)
    book()
    with vendors.world.lock:
        vendors.vendors["stripe"].step_pay_by_schedule("eur")
    (payout,) = sent(vendors)
    net = sent(vendors)[payout]["amount"]

    book()
    waiting = with_facts(list_open_items("EUR"))
    statement((net, {"batch_id": payout}), day=clock.now().date())
    done = match_lines(now=clock.now())

    # Two top-ups, the chargeback, and three fees: Stripe names charges and disputes, payments only their intents.
    assert [item.batch for item in waiting] == [payout.replace("_", "").upper()] * 6
    assert (done.matches, clearing()) == (1, 0)
    (view,) = views_of(list_payouts())
    assert (view.count, view.net_minor, view.agrees) == (3, net, True)
