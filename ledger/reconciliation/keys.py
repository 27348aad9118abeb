"""What tells one line of a bank from every other of the same account, so that none is taken twice."""

import hashlib
from collections import Counter
from collections.abc import Iterable

from ledger.reconciliation.parsed import ParsedLine

REFERENCE_MAX = 70
_DIGEST = 16


def clipped(reference: str) -> str:
    """Return a reference that fits its column; a longer one ends in a digest of the whole."""
    if len(reference) <= REFERENCE_MAX:
        return reference
    return f"{reference[: REFERENCE_MAX - _DIGEST - 1]}~{_digest(reference)}"


def line_keys(lines: Iterable[ParsedLine]) -> list[str]:
    """
    Return the key of each line of one statement, in their order.

    The bank's own reference where there is one; else days, amount, a digest of the words, and the how manieth such
    line it is. A reference that comes again within the statement gets a number: both lines were booked.
    """
    seen: Counter[str] = Counter()
    keys = []
    for line in lines:
        base = base_key(line)
        seen[base] += 1
        by_reference = bool(line.bank_reference)
        keys.append(base if by_reference and seen[base] == 1 else f"{base}#{seen[base]}")
    return keys


def base_key(line: ParsedLine) -> str:
    """Return the key of a line without its number among equals."""
    if line.bank_reference:
        return f"ref:{clipped(line.bank_reference)}"
    parts = (line.end_to_end_id, line.batch_id, line.name, line.iban, line.text, line.kind)
    words = "\x1f".join(parts)
    return f"day:{line.booking_date}:{line.value_date}:{line.amount_minor}:{_digest(words)}"


def content(line: ParsedLine) -> tuple[object, ...]:
    """Return what two lines share when a bank sent one line twice: all but the place."""
    return (
        base_key(line),
        line.amount_minor,
        line.booking_date,
        line.value_date,
        line.end_to_end_id,
        line.text,
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST]
