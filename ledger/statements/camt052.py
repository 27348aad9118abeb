"""Statements as camt.052, the report within a day of ISO 20022: what is booked so far, and what is only set aside."""

from ledger.statements.camt import Camt
from ledger.statements.formats import STATEMENT_FORMATS


class Camt052(Camt):
    """
    Booked entries, then open holds as pending ones.

    It has no sums: readers would not know whether they hold what is pending.
    """

    title = "camt.052"
    text = "For accounting systems, within the day: booked entries, and holds as pending ones."
    message = "camt.052.001"
    roots = ("BkToCstmrAcctRpt", "Rpt")
    balances = ("OPBD", "ITBD", "ITAV")
    summary = False


STATEMENT_FORMATS.register("camt052")(Camt052())
