"""What the database itself refuses about bank files, statements and lines, raw SQL included."""

import pytest
from django.db import DatabaseError, connection, transaction

from ledger.tests.banking import bring_in, house_bank, line, statement

pytestmark = pytest.mark.django_db


ATTACKS = {
    "change a line": "UPDATE ledger_bankline SET amount_minor = 1",
    "delete a line": "DELETE FROM ledger_bankline",
    "the same line again": "INSERT INTO ledger_bankline (public_id, bank_account_id, stated_in_id, key, booking_date,"
    " value_date, amount_minor, currency, end_to_end_id, bank_reference, batch_id, kind, reversal, details, place, position,"
    " status) SELECT 'bln_x', bank_account_id, stated_in_id, key, booking_date, value_date, amount_minor, currency, '', '',"
    " '', '', false, '[]', '', 9, 'OPEN' FROM ledger_bankline",
    "a line more in an accepted statement": "INSERT INTO ledger_bankline (public_id, bank_account_id, statement_id,"
    " stated_in_id, key, booking_date, value_date, amount_minor, currency, end_to_end_id, bank_reference, batch_id, kind,"
    " reversal, details, place, position, status) SELECT 'bln_x', bank_account_id, statement_id, stated_in_id, 'new',"
    " booking_date, value_date, 5, currency, '', '', '', '', false, '[]', '', 9, 'OPEN' FROM ledger_bankline",
    "another currency": "INSERT INTO ledger_bankline (public_id, bank_account_id, stated_in_id, key, booking_date,"
    " value_date, amount_minor, currency, end_to_end_id, bank_reference, batch_id, kind, reversal, details, place, position,"
    " status) SELECT 'bln_x', bank_account_id, stated_in_id, 'new', booking_date, value_date, 5, 'USD', '', '', '', '',"
    " false, '[]', '', 9, 'OPEN' FROM ledger_bankline",
    "another closing balance": "UPDATE ledger_bankstatement SET closing_minor = 5",
    "a statement that does not add up": "INSERT INTO ledger_bankstatement (public_id, bank_account_id, file_id, sequence,"
    ' "index", lead, number, reference, opening_date, closing_date, opening_minor, closing_minor, currency, line_count)'
    " SELECT 'bst_x', bank_account_id, file_id, 2, 0, 0, '', '', opening_date, closing_date, 100, 900, currency, 0"
    " FROM ledger_bankstatement; UPDATE ledger_bankstatement SET accepted_at = now() WHERE sequence = 2",
    "a statement that continues nothing": "INSERT INTO ledger_bankstatement (public_id, bank_account_id, file_id, sequence,"
    ' "index", lead, number, reference, opening_date, closing_date, opening_minor, closing_minor, currency, line_count)'
    " SELECT 'bst_x', bank_account_id, file_id, 2, 0, 0, '', '', opening_date, closing_date, 77, 77, currency, 0"
    " FROM ledger_bankstatement; UPDATE ledger_bankstatement SET accepted_at = now() WHERE sequence = 2",
    "the file is another": "UPDATE ledger_bankfile SET sha256 = 'x'",
    "an accepted file goes back": "UPDATE ledger_bankfile SET state = 'STAGED'",
    "the same file again": "INSERT INTO ledger_bankfile (public_id, name, sha256, size, format, state, findings, summary,"
    " line_count, lines_done, received_by, received_at, changed_at) SELECT 'bfl_x', name, sha256, size, format, 'STAGED',"
    " '[]', '[]', 0, 0, '', now(), now() FROM ledger_bankfile",
    "the original is replaced": "UPDATE ledger_bankfileoriginal SET sealed = 'x'",
    "all is emptied": "TRUNCATE ledger_bankline CASCADE",
    "a match that nobody made": "UPDATE ledger_bankline SET status = 'MATCHED'; SET CONSTRAINTS ALL IMMEDIATE",
    "the account mirrors another": "UPDATE ledger_housebankaccount SET client_money = false",
}


@pytest.mark.parametrize("name", ATTACKS)
def test_raw_sql_is_refused(name):
    house_bank()
    bring_in(statement(line(100, 1)))

    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(ATTACKS[name])
