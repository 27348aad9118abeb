"""What our formats write, our own importers of bank files read back: import(export(x)) = x."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.reconciliation.formats import read
from ledger.statements.formats import STATEMENT_FORMATS
from ledger.tests.statement_facts import WALLET, statement

WAYS = [("camt053", "02"), ("camt053", "08"), ("camt053", "13"), ("mt940", ""), ("ofx", "")]


@pytest.mark.parametrize(("name", "version"), WAYS)
@settings(max_examples=4, deadline=None)
@given(
    amounts=st.lists(st.integers(-(10**11), 10**11).filter(bool), max_size=40),
    opening=st.integers(-(10**11), 10**11),
    currency=st.sampled_from(["JPY", "EUR", "KWD", "CLF"]),
)
def test_an_import_of_an_export_is_the_statement(name, version, amounts, opening, currency):
    made = statement(currency, amounts, opening=opening, number=3)

    pages = read(STATEMENT_FORMATS.get(name).render(made, version)).statements

    lines = [line for page in pages for line in page.lines]
    assert [line.amount_minor for line in lines] == amounts
    assert [(line.booking_date, line.value_date) for line in lines] == [
        (entry.booked_date, entry.effective_date) for entry in made.entries
    ]
    assert pages[-1].closing_minor == made.closing
    assert {page.currency for page in pages} == {currency}
    if name != "ofx":  # which carries no opening balance, and has no room for the account's id
        assert pages[0].opening_minor == opening
        assert {page.account.replace("-", "_").lower() for page in pages} == {WALLET.lower()}
    if name == "camt053":
        assert [line.end_to_end_id for line in lines] == [entry.cause for entry in made.entries]
        assert [line.name for line in lines] == [entry.counterparty for entry in made.entries]
        assert [line.reversal for line in lines] == [entry.reversal for entry in made.entries]
