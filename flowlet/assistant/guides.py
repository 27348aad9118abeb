"""What the assistant can explain without looking at anybody's data; the guides it falls back to."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Guide:
    """One explanation, and the words of a question that lead to it."""

    words: frozenset[str]
    text: str


GUIDES = (
    Guide(
        frozenset(("refused", "declined", "failed", "reject", "rejected", "why")),
        "A payment is refused when the wallet has too little money, is frozen, or a limit would be passed. The reason "
        "stands beside the payment.",
    ),
    Guide(
        frozenset(("review", "pending", "waiting", "wait", "long", "when")),
        "A payment that is under review is looked at by a person. You need to do nothing; you are told when it goes on.",
    ),
    Guide(
        frozenset(("lost", "stolen", "freeze", "block", "scam", "fraud")),
        "If your card or phone is lost, freeze the card in your app at once, then write to support. A freeze can be "
        "lifted; nothing is lost by it.",
    ),
    Guide(
        frozenset(("refund", "refunds", "return", "returned", "back")),
        "A refund goes back the way the money came: to a card within days, to a bank account when the bank has booked it.",
    ),
    Guide(
        frozenset(("code", "codes", "confirm", "message")),
        "A code by text message confirms that a payment is yours. It is good for ten minutes; nobody of ours ever asks "
        "for it.",
    ),
    Guide(
        frozenset(("bank", "deposit", "top", "add", "link")),
        "You can add money by card, or from a bank account that you have linked in your app. From a bank it takes a day "
        "or two.",
    ),
)
NOTHING = "I cannot answer that here. Please write to support; a person will look at it."


def words_of(text: str) -> frozenset[str]:
    """Return the words of a text in lower case."""
    return frozenset(re.findall(r"[a-z']+", text.casefold()))


def find_guides(question: str, *, most: int = 2) -> list[str]:
    """Return the guides that share words with a question, best first; may be none."""
    asked = words_of(question)
    ranked = sorted(GUIDES, key=lambda guide: -len(guide.words & asked))
    return [guide.text for guide in ranked[:most] if guide.words & asked]
