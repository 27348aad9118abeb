"""Raw SQL against the books: months, rates and deals, what waits, statements, the chain and what two people agreed on."""

from datetime import date, timedelta
from fractions import Fraction

import pytest
from pytest_django.plugin import DjangoDbBlocker

from flowlet.core import clock
from flowlet.core.money import Money
from flowlet.identity.operations import create_user
from ledger.models.accounts import Account
from ledger.models.journals import JournalDraft
from ledger.models.seals import LedgerCheck
from ledger.models.statements import ExportFile, ExportJob
from ledger.operations.accounts import house_account
from ledger.operations.anchoring import anchor
from ledger.operations.deals import book_deal, realise_results
from ledger.operations.journals import WrittenLine, ask_to_post, save_journal
from ledger.operations.periods import begin_close
from ledger.operations.posting import post
from ledger.operations.queue import enqueue, post_queued
from ledger.operations.statements import give_statement, issue_statement
from ledger.rates import agreed_terms
from ledger.statements.facts import day_of, start_of
from ledger.tests.attacks import ROLES, header, leg, pair, succeeding
from ledger.tests.booking import agree, closed_month, month
from ledger.tests.factories import NOW, TODAY, draft, fund, make_rate, wallet_account

pytestmark = pytest.mark.django_db

IN_OCTOBER, IN_SEPTEMBER = "2026-10-15", "2026-09-15"
_APPROVED = {"more": ", approval_id"}


def _legs(day: str = "2026-11-02", minor: int = 5) -> str:
    return pair(leg(minor, "{bank}", leg=1, day=day), leg(-minor, "{equity}", leg=2, day=day))


def _journal(of: str, approval: str) -> list[str]:
    return [header(kind="MANUAL", key=of, **_APPROVED, value=f", {approval}"), _legs(minor=250)]


_OCTOBER_OPEN = "UPDATE ledger_period SET status = 'OPEN' WHERE id = {october}"
_PERIOD = """
INSERT INTO ledger_period (public_id, first_date, last_date, status, version, attempt, changed_at, changed_by)
VALUES ('per_x', '{}', '{}', '{}', 0, 0, now(), 'SYSTEM:raw')
"""
_STATEMENT = """
INSERT INTO ledger_statement (public_id, account_id, number, first_date, latest_date, seq_from, seq_to, opening_minor,
    closing_minor, held_minor, available_minor, currency, cut_at, issued_at)
SELECT 'stm_x', account_id, {number}, {first}, latest_date + 40, {seq_from}, {seq_to}, closing_minor, {closing}, 0,
       {closing}, currency, now(), now() FROM ledger_statement
"""


def _statement(
    number: str = "number + 1",
    first: str = "latest_date + 1",
    seq_from: str = "seq_to + 1",
    seq_to: str = "seq_to",
    closing: str = "closing_minor",
) -> list[str]:
    return [_STATEMENT.format(number=number, first=first, seq_from=seq_from, seq_to=seq_to, closing=closing)]


MONTHS = {
    "close a month before the one before it": (
        "period_order", ["UPDATE ledger_period SET status = 'CLOSING' WHERE id = {november}"]),
    "close a month without its steps": (
        "period_status_order", ["UPDATE ledger_period SET status = 'CLOSED' WHERE id = {november}"]),
    "open a month before one that is closing": (
        "period_order", ["UPDATE ledger_period SET status = 'OPEN' WHERE id = {september}"]),
    "open a closed month alone": (
        "period_reopened_by_two",
        [_OCTOBER_OPEN, "UPDATE ledger_period SET status = 'OPEN' WHERE id = {september}"]),
    "open a closed month by what was agreed for a journal": (
        "period_reopened_by_two",
        [_OCTOBER_OPEN,
         "UPDATE ledger_period SET status = 'OPEN', reopen_approval_id = {used} WHERE id = {september}"]),
    "say who agreed that a month is open": (
        "period_fixed", ["UPDATE ledger_period SET reopen_approval_id = {used} WHERE id = {september}"]),
    "say that somebody else closed a month": (
        "period_fixed", ["UPDATE ledger_period SET changed_by = 'STAFF:other' WHERE id = {september}"]),
    "say that a month was closed another day": (
        "period_fixed", ["UPDATE ledger_period SET changed_at = now() WHERE id = {september}"]),
    "stop a close that was to end": (
        "period_fixed", ["UPDATE ledger_period SET soft = true WHERE id = {october}"]),
    "move a month's end": (
        "period_fixed", ["UPDATE ledger_period SET last_date = last_date - 1 WHERE id = {november}"]),
    "delete a month": ("period_fixed", ["DELETE FROM ledger_period WHERE id = {november}"]),
    "empty the months": ("period_fixed", ["TRUNCATE ledger_period CASCADE"]),
    "a month after a gap": ("period_order", [_PERIOD.format("2027-01-01", "2027-01-31", "OPEN")]),
    "a month over another": ("period_order", [_PERIOD.format("2026-11-15", "2026-12-31", "OPEN")]),
    "a month that begins closed": ("period_fixed", [_PERIOD.format("2026-12-01", "2026-12-31", "CLOSED")]),
    "edit a closing": ("append_only", ["UPDATE ledger_periodclosing SET digest = ''"]),
    "delete a closing": ("append_only", ["DELETE FROM ledger_periodclosing"]),
    "write a closing": (
        "period_guarded",
        [("INSERT INTO ledger_periodclosing (period_id, version, digest, postings, actor, closed_at)"
         " VALUES ({november}, 1, '', 0, 'SYSTEM:raw', now())")]),
    "edit a closing's total": ("append_only", ["UPDATE ledger_periodtotal SET closing = closing + 1"]),
    "delete a closing's totals": ("append_only", ["DELETE FROM ledger_periodtotal"]),
    "edit a closing's balance": ("append_only", ["UPDATE ledger_periodbalance SET closing = 0"]),
    "write a closing's balance": (
        "period_guarded",
        [("INSERT INTO ledger_periodbalance (period_id, version, account_id, currency, debit, credit, closing)"
         " VALUES ({november}, 1, {bank}, 'EUR', 1, 0, 1)")]),
    "empty the closings": ("append_only", ["TRUNCATE ledger_periodclosing"]),
    "take back a step of a close": ("append_only", ["DELETE FROM ledger_periodstep"]),
    "post into a closed month": ("period_closed", [header(day=IN_SEPTEMBER), _legs(IN_SEPTEMBER)]),
    "post before all months": ("period_closed", [header(day="2001-01-01"), _legs("2001-01-01")]),
    "post into a month that is closing": ("period_closed", [header(day=IN_OCTOBER), _legs(IN_OCTOBER)]),
    "post into a month that is closing by an approval that was used": (
        "period_closed",
        [header(day=IN_OCTOBER, **_APPROVED, value=", {used}"), _legs(IN_OCTOBER)]),
    "post into a month that is closing by an approval that nobody gave": (
        "period_closed",
        [header(day=IN_OCTOBER, **_APPROVED, value=", {asked}"), _legs(IN_OCTOBER)]),
    "post into a closed month by an approval": (
        "period_closed",
        [header(day=IN_SEPTEMBER, **_APPROVED, value=", {used}"), _legs(IN_SEPTEMBER)]),
}  # fmt: skip
TWO_PEOPLE = {
    "a manual journal of nobody": ("transaction_approved", [header(kind="MANUAL"), _legs()]),
    "a manual journal that nobody agreed to": ("transaction_approved", _journal("{waiting}", "{asked}")),
    "a manual journal by another's approval": ("transaction_approved", _journal("{waiting}", "{used}")),
    "a manual journal by its own approval, again": ("manual_as_written", _journal("{posted}", "{used}")),
    "edit a posted journal": (
        "journal_final", ["UPDATE ledger_journaldraft SET title = 'Other' WHERE status = 'POSTED'"]),
    "edit a posted journal's line": ("journal_final", ["UPDATE ledger_journalline SET amount_minor = 1"]),
    "delete a posted journal": ("journal_final", ["DELETE FROM ledger_journaldraft"]),
    "agree to one's own journal": (
        "vote_by_another",
        [("INSERT INTO backoffice_approvalvote (approval_id, maker_id, checker_id, decision, seen_hash, note, voted_at)"
         " SELECT id, maker_id, maker_id, 'APPROVE', content_hash, '', created_at FROM backoffice_approval"
         " WHERE id = {asked}")]),
    "agree to what somebody else asked in one's name": (
        "vote_of_this_maker",
        [("INSERT INTO backoffice_approvalvote (approval_id, maker_id, checker_id, decision, seen_hash, note, voted_at)"
         " SELECT id, {checker}, maker_id, 'APPROVE', content_hash, '', created_at FROM backoffice_approval"
         " WHERE id = {asked}")]),
    "agree after it was decided": (
        "23000",
        [("INSERT INTO backoffice_approvalvote (approval_id, maker_id, checker_id, decision, seen_hash, note, voted_at)"
         " SELECT id, maker_id, {checker}, 'APPROVE', content_hash, '', created_at FROM backoffice_approval"
         " WHERE id = {used}")]),
    "call a request agreed to": (
        "23000", ["UPDATE backoffice_approval SET status = 'EXECUTED', decided_at = now() WHERE id = {asked}"]),
    "let a request wait again": (
        "23000", ["UPDATE backoffice_approval SET status = 'PENDING' WHERE id = {used}"]),
    "turn a request to another journal": (
        "23000", ["UPDATE backoffice_approval SET object_id = 'jrn_other' WHERE id = {asked}"]),
    "delete what was said": ("append_only", ["DELETE FROM backoffice_approvalvote"]),
}  # fmt: skip
CURRENCIES = {
    "edit a rate": ("append_only", ["UPDATE ledger_fxrate SET rate = rate * 2"]),
    "delete a rate": ("append_only", ["DELETE FROM ledger_fxrate"]),
    "empty the rates": ("append_only", ["TRUNCATE ledger_fxrate"]),
    "a second rate of the same instant": (
        "rate_once",
        [("INSERT INTO ledger_fxrate (public_id, base, quote, kind, source, rate, valid_at, actor, recorded_at)"
         " SELECT 'fxr_x', base, quote, kind, source, rate * 2, valid_at, actor, now() FROM ledger_fxrate LIMIT 1")]),
    "a rate below zero": (
        "rate_positive",
        [("INSERT INTO ledger_fxrate (public_id, base, quote, kind, source, rate, valid_at, actor, recorded_at)"
         " VALUES ('fxr_x', 'EUR', 'USD', 'MID', 'RAW', -1, now(), 'SYSTEM:raw', now())")]),
    "a rate of no currency": (
        "rate_base_known",
        [("INSERT INTO ledger_fxrate (public_id, base, quote, kind, source, rate, valid_at, actor, recorded_at)"
         " VALUES ('fxr_x', 'QQQ', 'USD', 'MID', 'RAW', 1, now(), 'SYSTEM:raw', now())")]),
    "edit a deal": ("append_only", ["UPDATE ledger_fxdeal SET base_minor = 1"]),
    "delete a deal": ("append_only", ["DELETE FROM ledger_fxdeal"]),
    "a deal that was not posted": (
        "deal_is_posted",
        [header(), _legs(),
         ("INSERT INTO ledger_fxdeal (transaction_id, sold_currency, sold_minor, bought_currency, bought_minor,"
         " spread_minor, mid, rate, base_currency, base_minor, dealt_at) SELECT (SELECT max(id) FROM ledger_transaction),"
         " sold_currency, sold_minor, bought_currency, bought_minor, spread_minor, mid, rate, base_currency, base_minor,"
         " dealt_at FROM ledger_fxdeal")]),
    "a deal valued in another currency": (
        "deal_base_fixed",
        [header(), _legs(),
         ("INSERT INTO ledger_fxdeal (transaction_id, sold_currency, sold_minor, bought_currency, bought_minor,"
         " spread_minor, mid, rate, base_currency, base_minor, dealt_at) SELECT (SELECT max(id) FROM ledger_transaction),"
         " sold_currency, sold_minor, bought_currency, bought_minor, spread_minor, mid, rate, 'JPY', base_minor,"
         " dealt_at FROM ledger_fxdeal")]),
    "edit a cost": ("append_only", ["UPDATE ledger_fxcost SET cost_after_minor = 0"]),
    "delete a cost": ("append_only", ["DELETE FROM ledger_fxcost"]),
    "a cost that continues nothing": (
        "cost_continues",
        [("INSERT INTO ledger_fxcost (account_id, account_seq, currency, effective_date, quantity_minor, value_minor,"
         " cost_minor, result_minor, position_after_minor, cost_after_minor) SELECT account_id, account_seq + 1, currency,"
         " effective_date, 1, 1, 1, 0, 1, 1 FROM ledger_fxcost LIMIT 1")]),
    "change an exponent": ("currency_fixed", ["UPDATE ledger_currency SET exponent = 3 WHERE code = 'EUR'"]),
}  # fmt: skip
WAITING = {
    "call a waiting posting posted": (
        "queued_posting_kept",
        [("UPDATE ledger_queuedposting SET state = 'POSTED', transaction = 'txn_x', ended_at = now()"
         " WHERE state = 'QUEUED'")]),
    "call a waiting posting posted by another transaction": (
        "queued_posting_kept",
        [("UPDATE ledger_queuedposting q SET state = 'POSTED', ended_at = now(), transaction ="
         " (SELECT transaction FROM ledger_queuedposting WHERE state = 'POSTED') WHERE state = 'QUEUED'")]),
    "a posting that never waited": (
        "queued_posting_kept",
        [("INSERT INTO ledger_queuedposting (public_id, source, source_key, kind, draft, state, attempts, error_code,"
         " error_detail, transaction, queued_at, ended_at) SELECT 'qpo_x', source, 'other', kind, draft, state, 0, '', '',"
         " transaction, now(), now() FROM ledger_queuedposting WHERE state = 'POSTED'")]),
    "let a posted one wait again": (
        "queued_posting_kept",
        ["UPDATE ledger_queuedposting SET state = 'QUEUED', transaction = '', ended_at = NULL WHERE state = 'POSTED'"]),
    "change whose waiting posting it is": (
        "queued_posting_kept", ["UPDATE ledger_queuedposting SET source_key = 'other' WHERE state = 'QUEUED'"]),
    "change what a waiting posting says": (
        "queued_posting_kept",
        [("UPDATE ledger_queuedposting SET draft = (SELECT draft FROM ledger_queuedposting WHERE state = 'POSTED')"
         " WHERE state = 'QUEUED'")]),
    "delete a waiting posting": ("queued_posting_kept", ["DELETE FROM ledger_queuedposting"]),
    "empty what waits": ("queued_posting_kept", ["TRUNCATE ledger_queuedposting"]),
}  # fmt: skip
STATEMENTS = {
    "skip a number": ("statement_number_continues", _statement(number="number + 2")),
    "give a number twice": ("statement_number_continues", _statement(number="number")),
    "leave entries out": ("statement_range_continues", _statement(seq_from="seq_to + 2", seq_to="seq_to + 1")),
    "show entries twice": ("statement_range_continues", _statement(seq_from="seq_to")),
    "leave days out": ("statement_days_continue", _statement(first="latest_date + 2")),
    "show days twice": ("statement_days_continue", _statement(first="latest_date")),
    "another closing balance": ("statement_closing_booked", _statement(closing="closing_minor + 1")),
    "entries that nobody booked": ("statement_closing_booked", _statement(seq_to="seq_to + 9")),
    "edit a statement": ("append_only", ["UPDATE ledger_statement SET closing_minor = 0, available_minor = 0"]),
    "delete a statement": ("append_only", ["DELETE FROM ledger_statement"]),
    "replace a statement's file": ("append_only", ["UPDATE ledger_statementfile SET sealed = ''"]),
    "delete a statement's file": ("append_only", ["DELETE FROM ledger_statementfile"]),
    "empty the statements": ("append_only", ["TRUNCATE ledger_statement CASCADE"]),
    "make a finished export run again": ("export_final", ["UPDATE ledger_exportjob SET state = 'RUNNING', finished_at = NULL"]),
    "turn a finished export to somebody else": ("export_final", ["UPDATE ledger_exportjob SET subject = 'other'"]),
    "another digest for a file given out": ("export_final", ["UPDATE ledger_exportfile SET sha256 = md5('x')"]),
    "delete a file given out": ("export_final", ["DELETE FROM ledger_exportfile"]),
    "delete an export": ("export_final", ["DELETE FROM ledger_exportjob"]),
}  # fmt: skip
CHAIN = {
    "edit a block": ("append_only", ["UPDATE ledger_block SET hash = ''"]),
    "delete a block": ("append_only", ["DELETE FROM ledger_block"]),
    "empty the blocks": ("append_only", ["TRUNCATE ledger_block CASCADE"]),
    "edit an anchor": ("append_only", ["UPDATE ledger_anchor SET signature = ''"]),
    "delete an anchor": ("append_only", ["DELETE FROM ledger_anchor"]),
    "anchor another hash": (
        "anchor_block",
        ["INSERT INTO ledger_anchor (block_id, hash, key_id, signature, made_at) VALUES (99, '', 1, '', now())"]),
    "delete where an anchor went": ("append_only", ["TRUNCATE ledger_anchorcopy"]),
    "seal by hand": (
        "sealer_only", ["INSERT INTO ledger_sealedtransaction (transaction_id, block_id) VALUES (0, 1)"]),
    "take a transaction out of its block": ("append_only", ["DELETE FROM ledger_sealedtransaction"]),
    "edit a day's total": ("sealer_only", ["UPDATE ledger_daytotal SET debit = debit + 1"]),
    "delete a day's total": ("sealer_only", ["DELETE FROM ledger_daytotal"]),
    "write a day's total": (
        "sealer_only",
        [("INSERT INTO ledger_daytotal (chart_account_id, currency, effective_date, known_date, debit, credit, count)"
         " SELECT chart_account_id, 'JPY', effective_date, known_date, 1, 0, 1 FROM ledger_daytotal LIMIT 1")]),
    "make a proof clean": ("ledger_check_final", ["UPDATE ledger_ledgercheck SET faults = 0, findings = '[]'"]),
    "delete a proof": ("ledger_check_final", ["DELETE FROM ledger_ledgercheck"]),
    "a proof that nobody made": (
        "ledger_check_final",
        [("INSERT INTO ledger_ledgercheck (public_id, scope, status, asked_by, asked_at, finished_at, rows, faults,"
         " findings, block) VALUES ('vfy_x', 'ALL', 'CLEAN', 'SYSTEM:raw', now(), now(), 1, 0, '[]', 1)")]),
}  # fmt: skip
ATTACKS = {
    "months": MONTHS,
    "what two people agree on": TWO_PEOPLE,
    "currencies": CURRENCIES,
    "what waits": WAITING,
    "statements": STATEMENTS,
    "the chain": CHAIN,
}


def _house(code: str, currency: str = "EUR") -> Account:
    return house_account(chart_code=code, currency=currency, now=NOW)


def _deal() -> None:
    make_rate("EUR", "USD", "1.1000")
    seller, buyer = wallet_account("EUR"), wallet_account("USD")
    fund(seller, 20_000)
    terms = agreed_terms(Money(10_000, "EUR"), sold="EUR", bought="USD", mid=Fraction(11, 10), spread_bp=100)
    book_deal(
        seller_account_id=seller.pk,
        buyer_account_id=buyer.pk,
        terms=terms,
        kind="EXCHANGE",
        source="raw",
        source_key="deal",
        now=NOW,
    )
    realise_results(now=NOW)


def _written(maker_id: int) -> JournalDraft:
    lines = [WrittenLine(_house("CLIENT_MONEY_BANK").pk, Money(250, "EUR"))]
    lines.append(WrittenLine(_house("EQUITY").pk, Money(-250, "EUR")))
    return save_journal(
        journal_id=None,
        maker_id=maker_id,
        title="Capital",
        text="",
        effective_date=TODAY,
        lines=lines,
        now=NOW,
    )


def _journals() -> dict[str, object]:
    maker, checker = (
        create_user(
            email=f"{name}@house.example", full_name=name, password="correct-horse-battery", roles=[role]
        )
        for name, role in (("henk", "finance"), ("grete", "finance_lead"))
    )
    posted, waiting = _written(maker.pk), _written(maker.pk)
    used, asked = (
        ask_to_post(journal_id=one.public_id, maker_id=maker.pk, reason_code="MONTH_END", note="", now=NOW)
        for one in (posted, waiting)
    )
    assert agree(used, checker).status == "EXECUTED"
    return {
        "posted": posted.public_id,
        "waiting": waiting.public_id,
        "used": used.pk,
        "asked": asked.pk,
        "checker": checker.pk,
    }


def _statement_and_export(account: Account) -> None:
    began = clock.now()
    day = day_of(began)
    issued = issue_statement(account_id=account.pk, latest_date=day, now=start_of(day + timedelta(days=1)))
    give_statement(statement_id=issued.pk, format="csv", now=began)
    job = ExportJob.objects.create(
        subject_kind="WALLET",
        subject="wal_1",
        title="Export",
        first_date=TODAY,
        latest_date=TODAY,
        format="csv",
        actor="STAFF:test",
        created_at=NOW,
        finished_at=NOW,
        expires_at=NOW,
        state="DONE",
    )
    ExportFile.objects.create(job=job, position=1, name="a.csv", sha256="0" * 64, finished_at=NOW)


def _world() -> dict[str, object]:
    account = wallet_account()
    fund(account, 5_000)
    september = draft(
        (_house("CLIENT_MONEY_BANK"), 7), (_house("EQUITY"), -7), effective_date=date(2026, 9, 15)
    )
    post(draft=september, now=NOW)
    _deal()
    journals = _journals()
    closed, october, november = closed_month(2026, 9), month(2026, 10), month(2026, 11)
    begin_close(period_id=october.pk, now=NOW)
    drafts = [draft((account, 5), (_house("FEE_INCOME"), -5), key=key) for key in ("now", "later")]
    enqueue(drafts=drafts, now=NOW)
    post_queued(now=NOW, limit=1)
    anchor(now=NOW)
    _statement_and_export(account)
    check = LedgerCheck.objects.create(scope="ALL", asked_by="STAFF:test", asked_at=NOW)
    LedgerCheck.objects.filter(pk=check.pk).update(status="CLEAN", finished_at=NOW)
    return {
        **journals,
        "september": closed.pk,
        "october": october.pk,
        "november": november.pk,
        "bank": _house("CLIENT_MONEY_BANK").pk,
        "equity": _house("EQUITY").pk,
    }


@pytest.fixture(scope="module")
def names(once_per_module: DjangoDbBlocker) -> dict[str, object]:
    with once_per_module.unblock():
        return _world()


@pytest.mark.parametrize("role", ROLES, ids=("owner", "application"))
@pytest.mark.parametrize("kind", ATTACKS)
def test_the_books_refuse_attacks_on(kind: str, role: str | None, names: dict[str, object]) -> None:
    assert succeeding(ATTACKS[kind], names, role=role) == {}
