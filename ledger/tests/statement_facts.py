"""Statements as the formats get them, made from plain values."""

from datetime import UTC, date, datetime, timedelta

from ledger.statements.facts import Entry, Pending, Statement

FIRST, LAST = date(2026, 11, 1), date(2026, 11, 30)
WALLET = "wal_01K8Z5M3W4J7T2R9QX6V0BND1C"
# What travels badly: other scripts, formulas in disguise, markup, letters that XML or SWIFT cannot hold.
TEXTS = (
    "Dinner at Łukasz & Söhne <b>",
    "=HYPERLINK(1)",
    "\uff1d1+1",
    "Κατερίνα 山田 Олена",
    ":20:fake\n-\n:61:2611011101C1,NTRF",
    "x" * 300,
    "",
)


def txn(number: int) -> str:
    """A public id of a transaction."""
    return f"txn_01K8Z5M3W4J7T2R9{number:010}"


def entry(seq: int, amount: int, balance: int, **fields: object) -> Entry:
    """One entry on a day of the span, booked the day after it takes effect."""
    day = FIRST + timedelta(days=seq % 28)
    values: dict[str, object] = {
        "kind": ("DEPOSIT", "P2P", "CARD_CLEARING", "FEE", "REVERSAL")[seq % 5],
        "text": TEXTS[seq % len(TEXTS)],
        "counterparty": ("", "Ola Nilsen", "山田 太郎", "A/S -Tegn:")[seq % 4],
        "booked": day + timedelta(days=1),
        "cause": f"pay_01K8Z5M3W4J7T2R9{seq:010}",
        "reversal": seq % 5 == 4,
    }
    return Entry(seq, day, txn(seq), amount=amount, balance=balance, **{**values, **fields})


def statement(currency: str, amounts: list[int], *, opening: int = 0, **fields: object) -> Statement:
    """A statement of these amounts in minor units; as many entries."""
    running, entries = opening, []
    for seq, amount in enumerate(amounts, start=1):
        running += amount
        entries.append(entry(seq, amount, running))
    values: dict[str, object] = {"owner": "Ola Nilsen & Søn", "as_of": datetime(2026, 12, 1, tzinfo=UTC)}
    return Statement(
        WALLET,
        currency=currency,
        first=FIRST,
        last=LAST,
        opening=opening,
        closing=running,
        entries=tuple(entries),
        **{**values, **fields},
    )


def pending() -> tuple[Pending, ...]:
    """One hold of money to go out, one of money announced."""
    return (
        Pending("hld_01K8Z5M3W4J7T2R90000000001", FIRST, -250, "pay_1"),
        Pending("hld_01K8Z5M3W4J7T2R90000000002", FIRST, 100, "pay_2"),
    )
