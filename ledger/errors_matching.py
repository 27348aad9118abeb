"""The ways in which matching, breaks and write-offs say no."""

from collections.abc import Callable, Mapping
from typing import Any

from flowlet.core.errors import AppError, Conflict
from flowlet.core.money import Money


class LineUsed(Conflict):
    """A line would be matched beyond its amount."""

    code = "line_used"
    title = "Line is matched"
    message = "The bank line has been matched already."
    next_action = "look_again"
    next_text = "Load the page again: somebody was quicker, or the passes were."


class ItemUsed(Conflict):
    """A posting would be matched beyond its amount."""

    code = "item_used"
    title = "Posting is matched"
    message = "The posting has been matched already."
    next_action = "look_again"
    next_text = "Load the page again: somebody was quicker, or the passes were."


class NotOpposite(AppError):
    """The chosen lines and postings cannot settle each other: other currency, other direction, or nothing chosen."""

    code = "match_not_possible"
    title = "These do not belong together"
    message = "{reason}"

    def __init__(self, *, reason: str) -> None:
        super().__init__(reason=reason)


class AlreadyUndone(Conflict):
    """The match was undone before."""

    code = "already_undone"
    title = "Already undone"
    message = "The match has been undone already."


class BreakClosed(Conflict):
    """The break is resolved or written off."""

    code = "break_closed"
    title = "Break is closed"
    message = "The break is closed; nothing can be done about it any more."


class MoneyWaits(Conflict):
    """A break cannot be closed by words while money of the line waits in suspense."""

    code = "money_waits"
    title = "Money still waits"
    message = "Money of this line still waits in suspense."
    next_action = "book_it"
    next_text = "Match the line with a posting, book it to an account, or write it off."


class NoWriteOffRule(AppError):
    """There is no rule for the currency, so every write-off needs a second person."""

    code = "no_write_off_rule"
    title = "No rule for write-offs"
    message = "No rule allows write-offs in {currency} by one person."
    next_action = "ask_for_approval"
    next_text = "Ask a second person to approve it."


class OverCap(AppError):
    """The rule allows less."""

    code = "over_write_off_cap"
    title = "More than the rule allows"
    message = "The rule allows {cap} for {what}."
    next_action = "ask_for_approval"
    next_text = "Ask a second person to approve it."


def over_cap(what: str) -> Callable[[Mapping[str, Any]], AppError]:
    """Return how the database's refusal of a cap is said."""

    def say(detail: Mapping[str, Any]) -> AppError:
        return OverCap(cap=Money(detail["cap"], detail["currency"]), what=what)

    return say
