"""Statements as camt.053, the end-of-day statement of ISO 20022."""

from ledger.statements.camt import Camt
from ledger.statements.formats import STATEMENT_FORMATS


class Camt053(Camt):
    """Booked entries only; versions 02 (2009), 08 (2019) and 13 (2025)."""

    title = "camt.053"
    text = "For accounting systems: ISO 20022 XML, checked against its schema."
    message = "camt.053.001"
    roots = ("BkToCstmrStmt", "Stmt")
    balances = ("OPBD", "CLBD", "CLAV")
    summary = True


STATEMENT_FORMATS.register("camt053")(Camt053())
