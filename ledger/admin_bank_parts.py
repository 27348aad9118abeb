"""What the pages of bank accounts, files and statements share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from flowlet.backoffice.cells import Badge, Main, Part, Tone
from flowlet.backoffice.lists import Column
from flowlet.core.registry import Registry
from ledger.admin_parts import amount_cell
from ledger.choices_bank import BankLineStatus
from ledger.models.reconciliation import BankLine, BankStatement, HouseBankAccount

# What rooms above know of a bank's line, as labels and cells for its page and that of its break.
LINE_FACTS: Registry[Callable[[BankLine], Sequence[tuple[str, object]]]] = Registry("ledger.line_facts")
LINE_TONES: dict[str, Tone] = {
    BankLineStatus.OPEN: "wait",
    BankLineStatus.MATCHED: "ok",
    BankLineStatus.BROKEN: "bad",
}


@dataclass(frozen=True, slots=True)
class Prose(Part):
    """Sentences in a cell, which are not cut: what is, over what to do about it."""

    text: str
    hint: str = ""

    def html(self) -> SafeString:
        """Return both, the hint in quiet words."""
        return format_html('<div class="prose"><b>{}</b><span>{}</span></div>', self.text, self.hint)


def line_href(line: BankLine) -> str:
    """Return the address of a line's page."""
    return reverse("admin:ledger_bankline_change", args=[line.public_id])


def line_facts(line: BankLine) -> list[tuple[str, object]]:
    """Return what the rooms above know of a line."""
    return [fact for known in LINE_FACTS.values() for fact in known(line)]


def counted(count: int, noun: str) -> str:
    """Return a number with its noun: `1 line`, `2,000 lines`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def bank_account_href(account: HouseBankAccount) -> str:
    """Return the address of a bank account's page."""
    return reverse("admin:ledger_housebankaccount_change", args=[account.public_id])


def statement_days(statement: BankStatement) -> str:
    """Return the days of a statement in words."""
    first, last = statement.opening_date, statement.closing_date
    return f"{last:%-d %b %Y}" if first == last else f"{first:%-d %b} to {last:%-d %b %Y}"


def statement_badge(statement: BankStatement) -> Badge:
    """Return whether a statement counts."""
    return Badge("Adds up", "ok") if statement.accepted_at else Badge("Being read in", "info")


def line_badge(line: BankLine) -> Badge:
    """Return how a line stands."""
    return Badge(line.get_status_display(), LINE_TONES[line.status])


STATEMENT_COLUMNS = (
    Column(
        title="Statement",
        cell=lambda s: Main(f"{s.bank_account.name}, no. {s.number or s.sequence}", statement_days(s)),
    ),
    Column(
        title="Opening",
        cell=lambda s: amount_cell(s.opening_minor, s.currency),
        width="m",
        right=True,
        hide="s",
    ),
    Column(title="Lines", cell=lambda s: f"{s.line_count:,}", width="s", right=True, hide="m"),
    Column(title="Closing", cell=lambda s: amount_cell(s.closing_minor, s.currency), width="m", right=True),
    Column(title="Proof", cell=statement_badge, width="m", hide="m"),
)
