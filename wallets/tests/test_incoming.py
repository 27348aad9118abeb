"""Money that comes to our bank account with a reference: credited once, or waiting with a break that says why."""

from contextlib import contextmanager

import pytest
from django.db import IntegrityError, connection, transaction

from flowlet.events.models import Event
from flowlet.identity.operations import place_restriction
from ledger.models.accounts import Balance
from ledger.models.matching import Break, Match
from ledger.models.reconciliation import BankLine, BankStatement
from ledger.models.transactions import Posting
from ledger.operations.matching import match_lines, undo_match
from ledger.tests.banks import bank_account, later, statement
from wallets.errors import NoClientMoneyAccount, NoReference, ReferenceRetired, ReferenceTaken, WalletClosed
from wallets.models import Deposit, LimitRule
from wallets.models_incoming import IncomingReference, IncomingTransfer
from wallets.operations.incoming import assign_iban, give_reference, retire_reference
from wallets.operations.wallets import close_wallet, freeze_wallet, unfreeze_wallet
from wallets.queries_incoming import funding_instructions
from wallets.references import code_of, printed
from wallets.tests.factories import NOW, holds, make_customer, make_wallet

pytestmark = pytest.mark.django_db
SENDER = {
    "counterparty_name": "Ines Moreau",
    "counterparty_iban": "NL91ABNA0417164300",
    "counterparty_index": b"n" * 32,
}


@pytest.fixture
def wallet(customer):
    bank_account()
    return make_wallet(customer)


@pytest.fixture
def code(wallet):
    return give_reference(wallet_id=wallet.pk, now=NOW).reference


def said(code, **fields):
    return {"text": f"Savings {printed(code).lower()} thanks", **fields}


def booked(chart_code, currency="EUR"):
    rows = Balance.objects.filter(account__chart_account__code=chart_code, currency=currency)
    return sum(row.posted for row in rows)


@contextmanager
def refused(name):
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        yield
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert name in str(caught.value.__cause__.diag.constraint_name)


def the_break():
    """Return reason and note of the only open break, whose money waits where it belongs to nobody."""
    found = Break.objects.get(state="OPEN")
    assert (found.line.status, booked("UNALLOCATED_RECEIPTS", found.currency)) == (
        "BROKEN",
        found.amount_minor,
    )
    assert not IncomingTransfer.objects.filter(line=found.line).exists()
    return found.reason, found.note


def test_a_wallet_has_one_code_until_it_is_retired_and_then_gets_another(wallet):
    first = give_reference(wallet_id=wallet.pk, now=NOW)
    again = give_reference(wallet_id=wallet.pk, now=later(1))

    retire_reference(reference_id=first.pk, reason_code="MISUSED", now=later(2))
    other = give_reference(wallet_id=wallet.pk, now=later(3))

    assert again.pk == first.pk
    assert other.reference != first.reference
    first.refresh_from_db()
    assert (first.state, first.retired_at, other.state) == ("RETIRED", later(2), "ACTIVE")
    with pytest.raises(ReferenceRetired):
        retire_reference(reference_id=first.pk, reason_code="MISUSED", now=later(4))
    told = Event.objects.filter(object_id=wallet.public_id, type__startswith="wallet.reference").order_by(
        "pk"
    )
    assert [event.type for event in told] == [
        "wallet.reference_given",
        "wallet.reference_retired",
        "wallet.reference_given",
    ]


def test_a_closed_wallet_gets_none_and_shows_none(wallet):
    give_reference(wallet_id=wallet.pk, now=NOW)
    close_wallet(wallet_id=wallet.pk, reason_code="CUSTOMER_REQUEST", now=NOW)
    wallet.refresh_from_db()

    with pytest.raises(WalletClosed):
        give_reference(wallet_id=wallet.pk, now=NOW)
    with pytest.raises(WalletClosed):
        funding_instructions(wallet)


def test_a_transfer_is_credited_through_clearing_and_matched_with_its_line(wallet, code):
    (line,) = statement((12_500, said(code, **SENDER)))

    done = match_lines(now=NOW)

    assert (done.matches, done.lines, done.parked) == (1, 1, 0)
    deposit = Deposit.objects.get()
    assert (deposit.status, deposit.source, deposit.amount_minor) == ("COMPLETED", "TRANSFER", 12_500)
    assert deposit.incoming.line.counterparty_name == "Ines Moreau"
    assert deposit.transaction.text.text == "Bank transfer from Ines Moreau"
    assert deposit.transaction.effective_date == line.booking_date
    assert deposit.transaction.context["country"] == "NL"
    assert holds(wallet) == 12_500
    assert (booked("BANK_CLEARING"), booked("CLIENT_MONEY_BANK"), booked("UNALLOCATED_RECEIPTS")) == (
        0,
        12_500,
        0,
    )
    match = Match.objects.get()
    assert (match.matched_by, match.transaction.kind) == ("REFERENCE", "BANK_SETTLED")
    leg = match.legs.get()
    assert (leg.line_id, leg.posting.transaction_id) == (line.pk, deposit.transaction_id)
    line.refresh_from_db()
    assert (line.status, Break.objects.count()) == ("MATCHED", 0)
    (event,) = Event.objects.filter(object_id=deposit.public_id)
    assert (event.type, event.data["method"]) == ("deposit.completed", "transfer")
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_the_payers_own_reference_field_and_a_part_of_a_sum_name_the_wallet_too(wallet, code):
    parts = [{"end_to_end_id": "", "reference": code, "amount_minor": 200}]
    statement((100, {"end_to_end_id": code}), (200, {"details": parts}))

    done = match_lines(now=NOW)

    assert (done.lines, done.parked, holds(wallet)) == (2, 0, 300)


def test_a_line_is_credited_once_however_often_it_comes_and_the_job_runs(wallet, code):
    statement((100, said(code)))

    runs = [match_lines(now=NOW).lines for _ in range(3)]

    assert (runs, holds(wallet), Deposit.objects.count()) == ([1, 0, 0], 100, 1)


def test_a_line_whose_match_was_undone_is_not_credited_again(wallet, code):
    statement((100, said(code)))
    match_lines(now=NOW)

    undo_match(match_id=Match.objects.get().public_id, reason_code="WRONG", note="x", now=NOW)
    match_lines(now=NOW)

    assert (holds(wallet), Deposit.objects.count()) == (100, 1)
    assert Break.objects.filter(state="OPEN", line__isnull=False).get().reason == "MATCH_UNDONE"


def test_two_wallets_named_in_one_line_wait(wallet, code, partner):
    other = make_wallet(make_customer(partner, "Tom Berg"))
    second = give_reference(wallet_id=other.pk, now=NOW).reference
    statement((100, {"text": f"{code} {second}"}))

    match_lines(now=NOW)

    reason, note = the_break()
    assert (reason, wallet.public_id in note, other.public_id in note) == ("AMBIGUOUS", True, True)


def test_a_mistyped_reference_waits_and_is_named(wallet, code):
    wrong = code[:-1] + str((int(code[-1]) + 1) % 10)
    statement((100, {"text": f"for {wrong}"}))

    match_lines(now=NOW)

    assert the_break() == ("BAD_REFERENCE", f"{printed(wrong)}: mistyped, or never given to a wallet.")
    assert holds(wallet) == 0


def test_a_well_formed_code_that_was_never_given_waits(wallet):
    statement((100, said(code_of(7))))

    match_lines(now=NOW)

    assert the_break()[0] == "BAD_REFERENCE"


def test_a_retired_reference_waits(wallet, code):
    retire_reference(reference_id=IncomingReference.objects.get().pk, reason_code="CUSTOMER_REQUEST", now=NOW)
    statement((100, said(code)))

    match_lines(now=NOW)

    reason, note = the_break()
    assert (reason, note) == (
        "RETIRED",
        f"{printed(code)} of wallet {wallet.public_id} was retired on 2 Nov 2026.",
    )


def test_a_reference_of_another_currency_waits(wallet, code):
    statement((100, said(code)), account=bank_account("USD"))

    match_lines(now=NOW)

    assert the_break() == ("CURRENCY", f"{printed(code)} names wallet {wallet.public_id} in EUR.")


def test_what_a_frozen_wallet_may_not_take_is_credited_once_it_may(wallet, code):
    freeze_wallet(wallet_id=wallet.pk, reason_code="COURT_ORDER", now=NOW)
    statement((100, said(code)))
    match_lines(now=NOW)
    assert the_break() == ("BLOCKED", f"{printed(code)}: Wallet {wallet.public_id} is frozen.")

    unfreeze_wallet(wallet_id=wallet.pk, reason_code="MISTAKE", now=NOW)
    done = match_lines(now=later(3))

    assert (done.lines, holds(wallet), booked("UNALLOCATED_RECEIPTS")) == (1, 100, 0)
    closed = Break.objects.get()
    assert (closed.state, closed.reason) == ("RESOLVED", "MATCHED")
    assert BankLine.objects.get().status == "MATCHED"
    assert Deposit.objects.get().transaction.effective_date == later(3).date()


def test_a_wallet_that_takes_no_money_and_a_closed_one_leave_it_waiting(wallet, code, customer):
    place_restriction(
        customer_id=customer.pk,
        kind="NO_IN",
        source="COMPLIANCE",
        reason_code="UNDER_REVIEW",
        wallet_ref=wallet.public_id,
        now=NOW,
    )
    statement((100, said(code)))
    match_lines(now=NOW)
    assert the_break()[0] == "BLOCKED"

    close_wallet(wallet_id=wallet.pk, reason_code="CUSTOMER_REQUEST", now=NOW)
    match_lines(now=NOW)

    assert the_break() == ("BLOCKED", f"{printed(code)}: Wallet {wallet.public_id} is closed.")


def test_what_the_customer_may_not_hold_waits_and_counts_nowhere(wallet, code, customer):
    LimitRule.objects.update_or_create(
        tier=customer.tier,
        partner=None,
        kind="IN",
        interval="BALANCE",
        currency="EUR",
        defaults={"amount_minor": 99},
    )
    statement((100, said(code)), (99, said(code)))

    match_lines(now=NOW)

    reason, note = the_break()
    assert (reason, "limit" in note, holds(wallet)) == ("LIMIT", True, 99)


def test_money_out_a_reversal_and_an_account_of_our_own_money_are_not_looked_at(wallet, code):
    statement((-100, said(code)), (50, said(code, reversal=True)))
    statement((70, said(code)), account=bank_account("CHF", client_money=False))

    match_lines(now=NOW)

    assert (Deposit.objects.count(), Break.objects.filter(reason="").count()) == (0, 3)


def test_a_virtual_iban_names_its_wallet(wallet, customer):
    iban = "DE89 3704 0044 0532 0130 00"
    made = assign_iban(wallet_id=wallet.pk, iban=iban, now=NOW)
    other = make_wallet(customer, "USD")
    statement((100, {"text": f"credited to {iban} by Ines"}))

    match_lines(now=NOW)

    assert (made.kind, assign_iban(wallet_id=wallet.pk, iban=iban, now=NOW).pk) == ("IBAN", made.pk)
    assert holds(wallet) == 100
    with pytest.raises(ReferenceTaken):
        assign_iban(wallet_id=other.pk, iban=iban, now=NOW)


def test_funding_instructions_name_our_account_and_need_a_code(wallet, customer):
    ours = bank_account()
    with pytest.raises(NoReference):
        funding_instructions(wallet)

    made = give_reference(wallet_id=wallet.pk, now=NOW)

    found = funding_instructions(wallet)
    assert (found.reference, found.bank_account) == (made, ours)
    with pytest.raises(NoClientMoneyAccount):
        give_reference(wallet_id=make_wallet(customer, "USD").pk, now=NOW)


def test_the_database_refuses_what_would_break_a_reference(wallet, code, customer):
    other = make_wallet(customer, "USD")
    fields = {"created_at": NOW, "created_by": "x"}
    with refused("incomingreference_one_active"):
        IncomingReference.objects.create(wallet=wallet, reference=code_of(8), **fields)
    with refused("reference"):
        IncomingReference.objects.create(wallet=other, reference=code, **fields)
    for wrong in (
        "RF00000000000000",
        "RF19539007547034",
        code.lower(),
        "RF185390O7547034",
        "DE89370400440532013000",
    ):
        with refused("incomingreference_valid"):
            IncomingReference.objects.create(wallet=other, reference=wrong, **fields)
    with refused("incomingreference_valid"):
        IncomingReference.objects.create(
            wallet=other, kind="IBAN", reference="DE88370400440532013000", **fields
        )
    with refused("incomingreference_kept"):
        IncomingReference.objects.filter(reference=code).update(wallet=other)
    with refused("incomingreference_kept"):
        IncomingReference.objects.filter(reference=code).update(reference=code_of(9))
    with refused("incomingreference_kept"), connection.cursor() as cursor:
        cursor.execute("DELETE FROM wallets_incomingreference")
    retire_reference(reference_id=IncomingReference.objects.get().pk, reason_code="MISUSED", now=NOW)
    with refused("incomingreference_kept"):
        IncomingReference.objects.update(state="ACTIVE", retired_at=None, retired_by="")


def test_the_database_refuses_a_transfer_that_is_not_its_line(wallet, code):
    statement((100, said(code)), (250, {}))
    match_lines(now=NOW)
    transfer, other = IncomingTransfer.objects.get(), BankLine.objects.get(amount_minor=250)
    fields = {
        "partner_id": wallet.partner_id,
        "wallet": wallet,
        "source": "TRANSFER",
        "amount_minor": 100,
        "currency": "EUR",
        "status": "COMPLETED",
        "created_at": NOW,
        "ended_at": NOW,
        "transaction_id": Posting.objects.exclude(transaction_id=transfer.deposit.transaction_id)
        .values_list("transaction_id", flat=True)
        .first(),
    }

    with refused("deposit_has_line"):
        Deposit.objects.create(**fields)
    for line, name in ((transfer.line, "line_id"), (other, "fits")):  # a second time, and another amount
        with refused(name):
            IncomingTransfer.objects.create(
                deposit=Deposit.objects.create(**fields),
                reference=transfer.reference,
                line=line,
                created_at=NOW,
            )
    with refused("append_only"):
        IncomingTransfer.objects.update(created_at=later(1))
    assert BankStatement.objects.count() == 1
