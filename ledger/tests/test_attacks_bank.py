"""Raw SQL against what banks told us: files, statements, lines, matches, breaks, write-offs and safeguarding proofs."""

import pytest
from pytest_django.plugin import DjangoDbBlocker

from flowlet.core.money import Money
from flowlet.identity.models import User
from flowlet.identity.operations import create_user
from ledger.choices_matching import BreakReason
from ledger.models.matching import Break, Match, WriteOffRule
from ledger.models.reconciliation import BankFileOriginal, BankStatement, ProcessorLine
from ledger.models.transactions import Posting
from ledger.operations.accounts import house_account
from ledger.operations.break_approvals import ask_to_set_rule, ask_to_write_off
from ledger.operations.breaks import write_off
from ledger.operations.matching import match_lines
from ledger.operations.posting import post
from ledger.operations.safeguarding import prove_safeguarding
from ledger.tests.attacks import OWN, ROLES, header, leg, pair, succeeding
from ledger.tests.banks import statement
from ledger.tests.booking import agree
from ledger.tests.factories import NOW, TODAY, draft, wallet_account
from ledger.tests.holding import ask_now

pytestmark = pytest.mark.django_db

_LINE = """
INSERT INTO ledger_bankline (public_id, bank_account_id, statement_id, stated_in_id, key, booking_date, value_date,
    amount_minor, currency, end_to_end_id, bank_reference, batch_id, kind, reversal, details, place, position, status)
SELECT 'bln_x', bank_account_id, {statement}, {file}, {key}, booking_date, value_date, 5, {currency}, '', '', '', '',
       false, '[]', '', 77, '{status}' FROM ledger_bankline WHERE id = {{line}}
"""
_STATEMENT = """
INSERT INTO ledger_bankstatement (public_id, bank_account_id, file_id, sequence, "index", lead, number, reference,
    opening_date, closing_date, opening_minor, closing_minor, currency, line_count, accepted_at)
SELECT 'bst_x', bank_account_id, file_id, {sequence}, 0, 0, '', '', opening_date, closing_date, {opening}, {closing},
       {currency}, {lines}, {accepted} FROM ledger_bankstatement WHERE id = {{latest}}
"""
_ACCEPT = "UPDATE ledger_bankstatement SET accepted_at = now() WHERE public_id = 'bst_x'"


def _line(
    statement: str = "{open}",
    file: str = "{file}",
    key: str = "'new'",
    currency: str = "currency",
    status: str = "OPEN",
) -> str:
    return _LINE.format(statement=statement, file=file, key=key, currency=currency, status=status)


def _statement(
    sequence: str = "sequence + 2",
    opening: str = "closing_minor",
    closing: str = "closing_minor",
    currency: str = "currency",
    lines: int = 0,
    accepted: str = "NULL",
) -> str:
    return _STATEMENT.format(
        sequence=sequence, opening=opening, closing=closing, currency=currency, lines=lines, accepted=accepted
    )


FILES = {
    "a file's digest": ("bankfile_fixed", ["UPDATE ledger_bankfile SET sha256 = 'x'"]),
    "delete a file": ("append_only", ["DELETE FROM ledger_bankfile"]),
    "empty the files": ("append_only", ["TRUNCATE ledger_bankfile CASCADE"]),
    "the same file again": (
        "bankfile_once",
        [(
            "INSERT INTO ledger_bankfile (public_id, name, sha256, size, format, state, findings, summary, line_count,"
            " lines_done, received_by, received_at, changed_at) SELECT 'bfl_x', name, sha256, size, format, 'STAGED', '[]',"
            " '[]', 0, 0, '', now(), now() FROM ledger_bankfile WHERE id = {file}"
        )]),
    "call a file accepted that is not whole": (
        "bankfile_whole", ["UPDATE ledger_bankfile SET state = 'ACCEPTED' WHERE id = {file}"]),
    "take an accepted file back": (
        "bankfile_final",
        ["UPDATE ledger_bankfile SET state = 'ACCEPTED' WHERE id = {whole}",
         "UPDATE ledger_bankfile SET state = 'STAGED' WHERE id = {whole}"]),
    "replace the original": ("append_only", ["UPDATE ledger_bankfileoriginal SET sealed = 'x'"]),
    "delete the original": ("append_only", ["DELETE FROM ledger_bankfileoriginal"]),
    "edit what a processor said": ("processorline_fixed", ["UPDATE ledger_processorline SET fee_minor = 0"]),
    "turn a processor's line to another payout": (
        "processorline_fixed",
        ["UPDATE ledger_processorline SET payout = 'po_1'", "UPDATE ledger_processorline SET payout = 'po_2'"]),
    "delete what a processor said": ("append_only", ["DELETE FROM ledger_processorline"]),
    "a processor's line that does not add up": (
        "processorline_net",
        [(
            "INSERT INTO ledger_processorline (public_id, processor, reference, kind, amount_minor, fee_minor, net_minor,"
            " currency, source, intent, payout, created_at, available_at)"
            " VALUES ('prl_x', 'stripe', 'txn_9', 'charge', 10, 1, 10, 'EUR', '', '', '', now(), now())"
        )]),
    "let an account mirror another": (
        "housebank_fixed", ["UPDATE ledger_housebankaccount SET client_money = false"]),
    "an account that mirrors a customer's": (
        "housebank_account",
        [(
            "INSERT INTO ledger_housebankaccount (public_id, account_id, name, bank_name, iban, other_id, bic, currency,"
            " client_money, opened_at) VALUES ('hba_x', {wallet}, 'x', 'x', 'x', '', '', 'EUR', true, now())"
        )]),
    "delete an account at a bank": ("append_only", ["DELETE FROM ledger_housebankaccount"]),
}  # fmt: skip
STATEMENTS = {
    "edit a statement": ("bankstatement_fixed", ["UPDATE ledger_bankstatement SET closing_minor = 5 WHERE id = {latest}"]),
    "accept again": ("bankstatement_fixed", ["UPDATE ledger_bankstatement SET accepted_at = now() WHERE id = {latest}"]),
    "delete a statement": ("append_only", ["DELETE FROM ledger_bankstatement"]),
    "a statement accepted at birth": ("bankstatement_new", [_statement(accepted="now()")]),
    "a statement in another currency": ("bankstatement_new", [_statement(currency="'USD'")]),
    "accept one that lacks its lines": (
        "bankstatement_adds_up", [_statement(sequence="sequence + 5", lines=3), _ACCEPT]),
    "accept one whose lines do not lead to its closing": (
        "bankstatement_adds_up", [_statement(sequence="sequence + 5", closing="closing_minor + 1"), _ACCEPT]),
    "accept one that leaves one out": ("bankstatement_continues", [_statement(sequence="sequence + 5"), _ACCEPT]),
    "accept one after one that is not accepted": ("bankstatement_continues", [_statement(), _ACCEPT]),
    "accept one that begins elsewhere": (
        "bankstatement_continues",
        [_statement(opening="closing_minor + 1", closing="closing_minor + 1"), _ACCEPT]),
    "a number twice": ("bankstatement_sequence_once", [_statement(sequence="sequence")]),
    "edit a line": ("bankline_fixed", ["UPDATE ledger_bankline SET amount_minor = 1"]),
    "turn a line to another account": ("bankline_fixed", ["UPDATE ledger_bankline SET bank_account_id = 0"]),
    "delete a line": ("append_only", ["DELETE FROM ledger_bankline"]),
    "empty the lines": ("append_only", ["TRUNCATE ledger_bankline CASCADE"]),
    "the same line twice": ("bankline_key_once", [_line(key="key")]),
    "a line more in an accepted statement": ("bankline_statement", [_line("statement_id", "stated_in_id")]),
    "a line of another file": ("bankline_statement", [_line(file="{whole}")]),
    "a line in another currency": ("bankline_currency", [_line(currency="'USD'")]),
    "a line that is matched from the start": ("bankline_status_true", [_line(status="MATCHED")]),
    "a line that is a break from the start": ("bankline_status_true", [_line(status="BROKEN")]),
    "call a line matched": (
        "bankline_status_true", ["UPDATE ledger_bankline SET status = 'MATCHED' WHERE id = {waiting}"]),
    "let a matched line wait": (
        "bankline_status_true", ["UPDATE ledger_bankline SET status = 'OPEN' WHERE id = {line}"]),
    "hide a break": ("bankline_status_true", ["UPDATE ledger_bankline SET status = 'OPEN' WHERE id = {waiting}"]),
}  # fmt: skip
_MATCH = (
    "INSERT INTO ledger_match (public_id, matched_by, score, reasons, currency, amount_minor, transaction_id, made_by,"
    " made_at, undone_by) VALUES ('mtc_x', '{by}', 1, '[]', '{currency}', 700, {{transaction}}, 'raw', now(), '')"
)
_LEGS = (
    "INSERT INTO ledger_matchleg (match_id, line_id, posting_id, amount_minor)"
    " SELECT id, {line}, {posting}, {amount} FROM ledger_match WHERE public_id = 'mtc_x'"
)


def _match(
    line: str = "{waiting}",
    posting: str = "{expected}",
    amount: int = 700,
    *,
    by: str = "PERSON",
    currency: str = "EUR",
) -> list[str]:
    head = _MATCH.format(by=by, currency=currency)
    return [head, _LEGS.format(line=line, posting=posting, amount=amount)]


MATCHES = {
    "match a line that is matched": ("match_line_overused", _match(line="{line}", amount=1)),
    "match a line beyond its amount": ("match_line_overused", _match(amount=701)),
    "match a line against its sign": ("match_line_overused", _match(amount=-1)),
    "match a posting that is matched": ("match_item_overused", _match(posting="{taken}", amount=1)),
    "match a posting that waits for no bank": ("match_item", _match(posting="{side}", amount=1)),
    "match a line of a statement that is not accepted": (
        "match_line_accepted",
        [_line(), *_match(line="(SELECT id FROM ledger_bankline WHERE public_id = 'bln_x')", amount=5)]),
    "match in another currency": ("match_currency", _match(currency="USD")),
    "match a line with nothing": ("match_two_sides", _match(posting="NULL")),
    "match without a journal of its own": ("match_posted", _match(amount=650)),
    "match without legs": ("match_posted", _match()[:1]),
    "give a match one leg more": (
        "matchleg_with_match",
        [(
            "INSERT INTO ledger_matchleg (match_id, line_id, posting_id, amount_minor)"
            " VALUES ({match}, {waiting}, {expected}, 1)"
        )]),
    "edit a match": ("match_fixed", ["UPDATE ledger_match SET amount_minor = 1"]),
    "say who made a match": ("match_fixed", ["UPDATE ledger_match SET made_by = 'SYSTEM:raw'"]),
    "edit a match's leg": ("append_only", ["UPDATE ledger_matchleg SET amount_minor = 1"]),
    "delete a match": ("append_only", ["DELETE FROM ledger_match"]),
    "delete a match's legs": ("append_only", ["DELETE FROM ledger_matchleg"]),
    "undo a match without its reversal": (
        "match_reversed",
        ["UPDATE ledger_match SET undone_at = now(), undone_by = 'raw', reversal_id = {transaction} WHERE id = {match}"]),
}  # fmt: skip
_BREAK = (
    "INSERT INTO ledger_break (public_id, kind, state, posting_id, currency, amount_minor, since, due_at, opened_at,"
    " reason, note, closed_at, closed_by) VALUES ('brk_x', 'ITEM', '{}', {{expected}}, 'EUR', 700, now(), now(), now(),"
    " 'OTHER', '', {}, '{}')"
)
_CLOSED = "reason = 'OTHER', closed_at = now(), closed_by = 'raw'"
_OFF = (
    "INSERT INTO ledger_writeoff (broken_id, rule_id, approval_id, transaction_id, currency, amount_minor, day)"
    " VALUES ({broken}, {rule}, {approval}, {transaction}, 'EUR', {amount}, '2001-01-01')"
)


def _break(state: str, closed_at: str = "now()", closed_by: str = "raw") -> list[str]:
    return [_BREAK.format(state, closed_at, closed_by)]


def _off(broken: str = "{break}", rule: str = "NULL", approval: str = "NULL", amount: int = 700) -> str:
    return _OFF.format(broken=broken, rule=rule, approval=approval, transaction=OWN, amount=amount)


def _journal(kind: str, approval: str = "NULL", minor: int = 700) -> list[str]:
    legs = pair(leg(minor, "{costs}", leg=1), leg(-minor, "{clearing}", leg=2))
    return [header(kind=kind, more=", approval_id", value=f", {approval}"), legs]


BREAKS = {
    "edit a break": ("break_fixed", ["UPDATE ledger_break SET amount_minor = 1 WHERE id = {break}"]),
    "delete a break": ("append_only", ["DELETE FROM ledger_break"]),
    "resolve a break whose money waits": (
        "break_settled", [f"UPDATE ledger_break SET state = 'RESOLVED', {_CLOSED} WHERE id = {{break}}"]),
    "call a break written off": (
        "break_written_off", [f"UPDATE ledger_break SET state = 'WRITTEN_OFF', {_CLOSED} WHERE id = {{break}}"]),
    "open a closed break": (
        "break_final",
        ["UPDATE ledger_break SET state = 'OPEN', closed_at = NULL, closed_by = '' WHERE id = {small}"]),
    "a break that begins resolved": ("break_begins_open", _break("RESOLVED")),
    "a break that begins written off": ("break_begins_open", _break("WRITTEN_OFF")),
    "a break that begins explained": ("break_begins_open", _break("EXPLAINED", "NULL", "")),
    "a second break over one line": (
        "break_line_once",
        [(
            "INSERT INTO ledger_break (public_id, kind, state, line_id, booking_id, currency, amount_minor, since, due_at,"
            " opened_at, reason, note, closed_by) SELECT 'brk_x', kind, 'OPEN', line_id, booking_id, currency, amount_minor,"
            " since, due_at, opened_at, '', '', '' FROM ledger_break WHERE id = {break}"
        )]),
    "a write-off by name only": ("writeoff_named", _journal("WRITE_OFF")),
    "a small write-off by name only": ("writeoff_named", _journal("WRITE_OFF_SMALL")),
    "write off what nobody approved": (
        "writeoff_approved", [*_journal("WRITE_OFF", "{asked}"), _off(approval="{asked}")]),
    "write off by what was approved for another break": (
        "writeoff_approved", [*_journal("WRITE_OFF", "{used}"), _off(approval="{used}")]),
    "write off by an approval again": (
        "writeoff_break", [*_journal("WRITE_OFF", "{used}"), _off(broken="{large}", approval="{used}", amount=90_000)]),
    "write off a part": ("writeoff_break", [*_journal("WRITE_OFF", "{asked}"), _off(approval="{asked}", amount=699)]),
    "write off more by the rule than it allows": ("writeoff_cap_break", [*_journal("WRITE_OFF_SMALL"), _off(rule="{rule}")]),
    "write off more by the rule than a day allows": (
        "writeoff_cap_day", [*_journal("WRITE_OFF_SMALL", minor=400), _off("{second}", "{rule}", amount=400)]),
    "write off without any ground": ("writeoff_cap_break", [*_journal("WRITE_OFF_SMALL"), _off(rule="0")]),
    "edit a write-off": ("append_only", ["UPDATE ledger_writeoff SET amount_minor = 1"]),
    "delete a write-off": ("append_only", ["DELETE FROM ledger_writeoff"]),
    "caps that nobody agreed to": (
        "writeoffrule_approved",
        [(
            "INSERT INTO ledger_writeoffrule (currency, cap_break_minor, cap_day_minor, approval_id, set_at)"
            " VALUES ('EUR', 9000000, 9000000, {used}, now())"
        )]),
    "raise the caps": ("append_only", ["UPDATE ledger_writeoffrule SET cap_break_minor = 9, cap_day_minor = 9"]),
    "edit a safeguarding proof": ("append_only", ["UPDATE ledger_safeguardingproof SET resource_minor = 0"]),
    "delete a safeguarding proof": ("append_only", ["DELETE FROM ledger_safeguardingproof"]),
    "empty the safeguarding proofs": ("append_only", ["TRUNCATE ledger_safeguardingproof CASCADE"]),
    "a safeguarding proof that leaves receipts out": (
        "proof_adds_up",
        [(
            "INSERT INTO ledger_safeguardingproof (public_id, day, currency, version, customer_count, customers_minor,"
            " unallocated_minor, requirement_minor, resource_minor, on_the_way_minor, accounts, complete, sha256, key_id,"
            " signature, made_by, made_at) SELECT 'sgp_x', day, currency, 9, customer_count, customers_minor, 9, customers_minor, resource_minor,"
            " 0, accounts, true, sha256, key_id, signature, made_by, made_at FROM ledger_safeguardingproof LIMIT 1"
        )]),
}  # fmt: skip
ATTACKS = {"files": FILES, "bank statements": STATEMENTS, "matches": MATCHES, "breaks": BREAKS}


def _expect(minor: int, key: str) -> Posting:
    clearing = house_account(chart_code="BANK_CLEARING", currency="EUR", now=NOW)
    equity = house_account(chart_code="EQUITY", currency="EUR", now=NOW)
    posted = post(draft=draft((clearing, minor), (equity, -minor), key=key), now=NOW)
    return Posting.objects.get(transaction_id=posted.transaction_id, account=clearing)


def _people() -> list[User]:
    return [
        create_user(
            email=f"{name}@house.example", full_name=name, password="correct-horse-battery", roles=[role]
        )
        for name, role in (("henk", "finance"), ("grete", "finance_lead"))
    ]


def _write_offs(breaks: list[Break]) -> dict[str, object]:
    """Set the rule, write one small break off by it and one large one by two people, and ask for another."""
    maker, checker = _people()
    rule = ask_to_set_rule(
        cap_break=Money(500, "EUR"), cap_day=Money(800, "EUR"), maker_id=maker.pk, reason_code="NEW", now=NOW
    )
    assert agree(rule, checker).status == "EXECUTED"
    waiting, small, second, large = breaks
    write_off(break_id=small.public_id, reason=BreakReason.BANK_FEE, now=NOW)
    used, asked = (
        ask_to_write_off(break_id=one.public_id, maker_id=maker.pk, reason=BreakReason.OTHER, now=NOW)
        for one in (large, waiting)
    )
    assert agree(used, checker).status == "EXECUTED"
    return {
        "rule": WriteOffRule.objects.get().pk,
        "break": waiting.pk,
        "small": small.pk,
        "second": second.pk,
        "large": large.pk,
        "used": used.pk,
        "asked": asked.pk,
    }


def _world() -> dict[str, object]:
    taken = _expect(12_500, "dep-000001")
    lines = statement((12_500, {"end_to_end_id": "dep-000001"}), 700, -500, 400, 90_000)
    match_lines(now=NOW)
    expected = _expect(650, "other")
    breaks = list(Break.objects.order_by("line_id"))
    written = _write_offs(breaks)
    prove_safeguarding(day=TODAY, now=NOW)
    latest = BankStatement.objects.get()
    (unsure,) = statement(900, accepted_at=None)
    BankFileOriginal.objects.create(file=latest.file, sealed=b"sealed")
    ProcessorLine.objects.create(
        processor="stripe",
        reference="txn_1",
        kind="charge",
        amount_minor=100,
        fee_minor=3,
        net_minor=97,
        currency="EUR",
        created_at=NOW,
        available_at=NOW,
    )
    ask_now()
    return {
        **written,
        "line": lines[0].pk,
        "waiting": lines[1].pk,
        "taken": taken.pk,
        "expected": expected.pk,
        "side": Posting.objects.filter(account__chart_account__code="EQUITY").first().pk,
        "match": Match.objects.filter(matched_by="REFERENCE").get().pk,
        "transaction": expected.transaction_id,
        "latest": latest.pk,
        "whole": latest.file_id,
        "open": unsure.statement_id,
        "file": unsure.stated_in_id,
        "wallet": wallet_account().pk,
        "clearing": house_account(chart_code="BANK_CLEARING", currency="EUR", now=NOW).pk,
        "costs": house_account(chart_code="RECONCILIATION_DIFFERENCES", currency="EUR", now=NOW).pk,
    }


@pytest.fixture(scope="module")
def names(once_per_module: DjangoDbBlocker) -> dict[str, object]:
    with once_per_module.unblock():
        return _world()


@pytest.mark.parametrize("role", ROLES, ids=("owner", "application"))
@pytest.mark.parametrize("kind", ATTACKS)
def test_what_banks_told_us_refuses_attacks_on(kind: str, role: str | None, names: dict[str, object]) -> None:
    assert succeeding(ATTACKS[kind], names, role=role) == {}
