"""Manual journals that come up again and again: which accounts they use, on which side, and what to write."""

from dataclasses import dataclass

from flowlet.core.registry import Registry


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalTemplate:
    """
    A journal to start from; `lines` are (number in the chart, on the debit side), in the order they are shown.

    `text` says what the journal is for, `help` what to look at before asking for the second person. An accrual lies on the
    last day of a period and undoes itself by its mirror on the day after: one approval is for both.
    """

    title: str
    text: str
    help: str
    lines: tuple[tuple[str, bool], ...]
    accrual: bool = False


JOURNAL_TEMPLATES: Registry[JournalTemplate] = Registry("ledger.journal_templates")

JOURNAL_TEMPLATES.register("suspense")(
    JournalTemplate(
        title="Clear suspense",
        text="Money that waited in suspense belongs to the account below.",
        help="Name the receipt or the bank line that explains it.",
        lines=(("2900", True), ("2910", False)),
    )
)
JOURNAL_TEMPLATES.register("accrued_cost")(
    JournalTemplate(
        title="Accrue fees of partners",
        text="Fees of the month that partners have not invoiced yet.",
        help="It is undone on the next month's first day by itself; then book the invoice as it comes.",
        lines=(("5000", True), ("2100", False)),
        accrual=True,
    )
)
JOURNAL_TEMPLATES.register("accrued_income")(
    JournalTemplate(
        title="Accrue income",
        text="Income of the month that is not collected yet.",
        help="It is undone on the next month's first day by itself; then book what is collected as it comes.",
        lines=(("1200", True), ("4000", False)),
        accrual=True,
    )
)
JOURNAL_TEMPLATES.register("bank_charge")(
    JournalTemplate(
        title="Bank charge",
        text="Charge of the bank on our own account.",
        help="The bank's statement names the charge.",
        lines=(("5100", True), ("1010", False)),
    )
)
JOURNAL_TEMPLATES.register("fee_sweep")(
    JournalTemplate(
        title="Move earned fees out of client money",
        text="Fees earned are moved from client money to our own account.",
        help="Safeguarding must still be covered afterwards.",
        lines=(("1010", True), ("1000", False)),
    )
)
JOURNAL_TEMPLATES.register("capital")(
    JournalTemplate(
        title="Capital paid in",
        text="Capital paid in by shareholders.",
        help="Attach the resolution to the approval's note by its number.",
        lines=(("1010", True), ("3000", False)),
    )
)
JOURNAL_TEMPLATES.register("loss")(
    JournalTemplate(
        title="Write off a loss",
        text="Loss from fraud or cards that nobody will pay back.",
        help="Name the case or the dispute.",
        lines=(("5300", True), ("1200", False)),
    )
)


def is_accrual(template: str) -> bool:
    """Tell whether journals made from this template undo themselves; one that is gone is none."""
    return template in JOURNAL_TEMPLATES and JOURNAL_TEMPLATES.get(template).accrual
