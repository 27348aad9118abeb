"""A careless bank's file beside the truth, as the passes take it, and what they make of it."""

import random
from dataclasses import dataclass
from datetime import date, timedelta

from ledger.reconciliation import generate
from ledger.reconciliation.generate import Rates, play_bank
from ledger.reconciliation.parsed import ParsedLine
from ledger.reconciliation.passes.base import Item, Line, Part, Window, load, plain, references, run

DAY = date(2026, 10, 1)
CARELESS = Rates(
    drop=0.02, duplicate=0.005, merge=0.01, split=0.01, fee=0.01, net=0.005, shift=0.2, nameless=0.03
)
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True, slots=True)
class Score:
    """What came of it: postings the bank showed, those put to the right line, and wrong matches."""

    shown: int
    right: int
    wrong: int

    @property
    def recall(self) -> float:
        return self.right / self.shown


def invented_items(
    count: int, *, seed: int, per_day: int = 200, customers: int = 1_000, currency: str = "EUR"
) -> list[generate.Item]:
    """Deposits and withdrawals of some customers, `per_day` of them a day, amounts as people choose them."""
    chance = random.Random(seed)
    made = []
    for key in range(1, count + 1):
        amount = chance.choice((chance.randint(100, 500_000), 100 * chance.randint(1, 2_000), 5_000, 10_000))
        made.append(
            generate.Item(
                posting_id=key,
                end_to_end_id=f"dep_0{''.join(chance.choices(_LETTERS, k=25))}",
                amount_minor=amount if chance.random() < 0.7 else -amount,
                currency=currency,
                on=DAY + timedelta(days=key // per_day),
                iban=f"DE{chance.randint(1, customers):020d}",
            )
        )
    return made


def as_line(key: int, line: ParsedLine) -> Line:
    return Line(
        id=key,
        amount=line.amount_minor,
        day=line.booking_date,
        value_day=line.value_date,
        references=references(line.end_to_end_id, line.bank_reference, line.batch_id, text=line.text),
        batch=plain(line.batch_id),
        iban=line.iban,
        parts=tuple(Part(plain(name), minor or 0) for name, _, minor in line.details),
    )


def as_item(item: generate.Item) -> Item:
    return Item(
        id=item.posting_id,
        amount=item.amount_minor,
        day=item.on,
        references=references(item.end_to_end_id),
        iban=item.iban,
    )


def score(items: list[generate.Item], *, seed: int, rates: Rates = CARELESS) -> Score:
    """Let a careless bank book the items, match what it sends, and hold it against the truth."""
    load()
    parsed, truth = play_bank(items, seed=seed, rates=rates)
    found = run(
        [as_line(key, line) for key, line in enumerate(parsed)], [as_item(one) for one in items], Window()
    ).found
    right, wrong = set(), 0
    for one in found:
        wanted = {posting for key in one.lines for posting in _meant(parsed[key], truth)}
        if set(one.items) == wanted:
            right |= wanted
        else:
            wrong += 1
    # What the bank booked with its own charge taken off is for people: the amounts differ.
    reduced = {posting for name in truth.reduced for posting in truth.matches[name]}
    shown = {posting for postings in truth.matches.values() for posting in postings} - reduced
    return Score(len(shown), len(right), wrong)


def _meant(line: ParsedLine, truth: generate.Truth) -> tuple[int, ...]:
    """Return the postings a line stands for. Of one booked twice it does not matter which of the two is taken."""
    number = int(line.bank_reference[3:])
    own = truth.matches[line.bank_reference]
    return own or (truth.matches.get(f"BNK{number - 1:07d}", ()) if line.iban else ())
