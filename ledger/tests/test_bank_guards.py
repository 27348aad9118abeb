"""What the database itself refuses about bank files, statements and lines, raw SQL included."""

import pytest
from django.db import IntegrityError, connection, transaction

from ledger.tests.banking import bring_in, house_bank, line, statement

pytestmark = pytest.mark.django_db


# What is tried, and the constraint by whose name the database refuses it.
ATTACKS = {
    "change a line": ("bankline_fixed", "UPDATE ledger_bankline SET amount_minor = 1"),
    "delete a line": ("append_only", "DELETE FROM ledger_bankline"),
    "the same line again": (
        "bankline_key_once",
        (
            "INSERT INTO ledger_bankline (public_id, bank_account_id, stated_in_id, key, booking_date,"
            " value_date, amount_minor, currency, end_to_end_id, bank_reference, batch_id, kind, reversal, details, place, position,"
            " status) SELECT 'bln_x', bank_account_id, stated_in_id, key, booking_date, value_date, amount_minor, currency, '', '',"
            " '', '', false, '[]', '', 9, 'OPEN' FROM ledger_bankline"
        ),
    ),
    "a line more in an accepted statement": (
        "bankline_statement",
        (
            "INSERT INTO ledger_bankline (public_id, bank_account_id, statement_id,"
            " stated_in_id, key, booking_date, value_date, amount_minor, currency, end_to_end_id, bank_reference, batch_id, kind,"
            " reversal, details, place, position, status) SELECT 'bln_x', bank_account_id, statement_id, stated_in_id, 'new',"
            " booking_date, value_date, 5, currency, '', '', '', '', false, '[]', '', 9, 'OPEN' FROM ledger_bankline"
        ),
    ),
    "another currency": (
        "bankline_currency",
        (
            "INSERT INTO ledger_bankline (public_id, bank_account_id, stated_in_id, key, booking_date,"
            " value_date, amount_minor, currency, end_to_end_id, bank_reference, batch_id, kind, reversal, details, place, position,"
            " status) SELECT 'bln_x', bank_account_id, stated_in_id, 'new', booking_date, value_date, 5, 'USD', '', '', '', '',"
            " false, '[]', '', 9, 'OPEN' FROM ledger_bankline"
        ),
    ),
    "another closing balance": ("bankstatement_fixed", "UPDATE ledger_bankstatement SET closing_minor = 5"),
    "a statement that does not add up": (
        "bankstatement_adds_up",
        (
            "INSERT INTO ledger_bankstatement (public_id, bank_account_id, file_id, sequence,"
            ' "index", lead, number, reference, opening_date, closing_date, opening_minor, closing_minor, currency, line_count)'
            " SELECT 'bst_x', bank_account_id, file_id, 2, 0, 0, '', '', opening_date, closing_date, 100, 900, currency, 0"
            " FROM ledger_bankstatement; UPDATE ledger_bankstatement SET accepted_at = now() WHERE sequence = 2"
        ),
    ),
    "a statement that continues nothing": (
        "bankstatement_continues",
        (
            "INSERT INTO ledger_bankstatement (public_id, bank_account_id, file_id, sequence,"
            ' "index", lead, number, reference, opening_date, closing_date, opening_minor, closing_minor, currency, line_count)'
            " SELECT 'bst_x', bank_account_id, file_id, 2, 0, 0, '', '', opening_date, closing_date, 77, 77, currency, 0"
            " FROM ledger_bankstatement; UPDATE ledger_bankstatement SET accepted_at = now() WHERE sequence = 2"
        ),
    ),
    "the file is another": ("bankfile_fixed", "UPDATE ledger_bankfile SET sha256 = 'x'"),
    "an accepted file goes back": ("bankfile_final", "UPDATE ledger_bankfile SET state = 'STAGED'"),
    "the same file again": (
        "bankfile_once",
        (
            "INSERT INTO ledger_bankfile (public_id, name, sha256, size, format, state, findings, summary,"
            " line_count, lines_done, received_by, received_at, changed_at) SELECT 'bfl_x', name, sha256, size, format, 'STAGED',"
            " '[]', '[]', 0, 0, '', now(), now() FROM ledger_bankfile"
        ),
    ),
    "the original is replaced": ("append_only", "UPDATE ledger_bankfileoriginal SET sealed = 'x'"),
    "all is emptied": ("append_only", "TRUNCATE ledger_bankline CASCADE"),
    "a match that nobody made": (
        "bankline_status_true",
        "UPDATE ledger_bankline SET status = 'MATCHED'; SET CONSTRAINTS ALL IMMEDIATE",
    ),
    "the account mirrors another": (
        "housebank_fixed",
        "UPDATE ledger_housebankaccount SET client_money = false",
    ),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_raw_sql_is_refused(name):
    house_bank()
    bring_in(statement(line(100, 1)))
    constraint, attack = ATTACKS[name]

    with pytest.raises(IntegrityError) as refused, transaction.atomic(), connection.cursor() as cursor:
        # What waits for the commit is asked first: a table with questions open cannot be emptied by anybody.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        cursor.execute(attack)

    assert refused.value.__cause__.diag.constraint_name == constraint
