"""
The proof of the chain: signatures, blocks, totals, words, and the anchors that lie outside the database.

The database computes the digests, as its owner: who asks never sees a key. Words and anchors are checked here, since
their keys are here.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import connection
from django.db.models import F

from flowlet.core.errors import InvariantBroken
from ledger import policies
from ledger.anchoring.documents import AnchorDocument, BadAnchor, load
from ledger.anchoring.stores import AnchorStore, StoreFailed
from ledger.models.seals import Anchor, Block
from ledger.models.transactions import TransactionText
from ledger.queries.proofs import Check
from ledger.queries.verification import SHOWN_PER_CHECK, Answer, Finding

# Of the rows before `since` every 97th is looked at, by turns: a daily run has seen all after 97 days.
PART = 97
_CHUNK = 50_000
Step = Callable[[str, int, int], None]


def silent(_title: str, _done: int, _total: int) -> None:
    """Tell nobody how far it is."""


@dataclass(frozen=True, slots=True)
class Span:
    """What to look at: everything, or rows from an instant on and a sample of the older ones."""

    since: datetime | None = None
    turn: int = 0

    @property
    def since_text(self) -> str:
        """The instant as PostgreSQL reads it."""
        return "-infinity" if self.since is None else self.since.isoformat()


# Asked in chunks of keys, so that a person sees how far it is: the question, its table, the table's key.
_SIGNED: tuple[tuple[Check, str, str], ...] = (
    (
        Check(
            "signed_transactions",
            "every header carries the signature it was written with",
            "transactions",
            "ledger_verify_transactions",
        ),
        "ledger_transaction",
        "id",
    ),
    (
        Check(
            "signed_postings",
            "every posting carries the signature it was written with",
            "postings",
            "ledger_verify_postings",
        ),
        "ledger_posting",
        "id",
    ),
    (
        Check(
            "signed_hold_events",
            "every hold and hold event carries the signature it was written with",
            "hold events",
            "ledger_verify_hold_events",
        ),
        "ledger_holdevent",
        "id",
    ),
    (
        Check(
            "blocks",
            "blocks count 1, 2, 3 …, each names the hash before, its hash is that of its rows, and is signed",
            "blocks",
            "ledger_verify_blocks",
        ),
        "ledger_block",
        "n",
    ),
)
_MEMBERSHIP = Check(
    "membership",
    "what is sealed is there, in one block, and nothing was left out",
    "transactions",
    "SELECT * FROM ledger_verify_membership()",
)
_DAY_TOTALS = Check(
    "day_totals",
    "day totals are the sums of the sealed postings",
    "day totals",
    "SELECT * FROM ledger_verify_day_totals(%s)",
)
_TEXTS_KEPT = Check(
    "texts_kept",
    "words go only with a row that says who erased them",
    "texts",
    "SELECT * FROM ledger_verify_texts()",
)
_RECENT = Check(
    "recent",
    "what was booked lately is complete, sums to zero, continues the balance before, and is the balance now",
    "transactions",
    "SELECT * FROM ledger_verify_recent(%s)",
)


@dataclass(frozen=True, slots=True)
class Outside:
    """What a place outside the database holds: each file's bytes, or why it could not be read."""

    store: str
    files: Mapping[str, bytes | StoreFailed]
    failure: StoreFailed | None = None


def read_outside(stores: Mapping[str, AnchorStore], *, step: Step = silent) -> list[Outside]:
    """Read all anchors of these places; talks to the network, so call it outside of a transaction."""
    return [_read_place(name, store, step) for name, store in stores.items()]


def _read_place(name: str, store: AnchorStore, step: Step) -> Outside:
    try:
        names = store.names()
    except StoreFailed as failure:
        return Outside(name, {}, failure)
    files: dict[str, bytes | StoreFailed] = {}
    for done, file in enumerate(names):
        step(f"reading the anchors in the {name}", done, len(names))
        try:
            files[file] = store.read(file)
        except StoreFailed as failure:
            files[file] = failure
    return Outside(name, files)


def verify_chain(*, span: Span, outside: Iterable[Outside], step: Step = silent) -> Iterator[Answer]:
    """
    Check the chain; yield one answer per question, as it comes.

    `step` is told a question, how many rows are done, and of how many.
    """
    for check, table, column in _SIGNED:
        yield _ask_in_chunks(check, table, column, span, step)
    yield _ask(_MEMBERSHIP)
    yield _ask(_DAY_TOTALS, span.since.astimezone(UTC).date().isoformat() if span.since else "-infinity")
    yield _ask(_TEXTS_KEPT)
    if span.since is not None:
        yield _ask(_RECENT, span.since_text)
    yield _collect(
        Check("texts", "words are those that were signed", "texts", ""), _text_faults(span), _count("texts")
    )
    yield _collect(
        Check("anchors", "anchors carry our signature and the hash of their block", "anchors", ""),
        _anchor_faults(),
        Anchor.objects.count(),
    )
    for place in outside:
        yield _outside(place)


def _ask_in_chunks(check: Check, table: str, column: str, span: Span, step: Step) -> Answer:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT min({column}), max({column}), count(*) FROM {table}")  # noqa: S608 - our own text
        lowest, highest, rows = cursor.fetchone()
        found: list[tuple[str, str, str]] = []
        faults = 0
        first = lowest or 0
        while lowest is not None and first <= highest:
            step(check.title, first - lowest, highest - lowest + 1)
            cursor.execute(
                f"SELECT * FROM {check.sql}(%s, %s, %s, %s, %s)",  # noqa: S608 - our own text
                [
                    first,
                    first + _CHUNK - 1,
                    span.since_text,
                    PART if span.since else 1,
                    span.turn % PART if span.since else 0,
                ],
            )
            chunk = cursor.fetchall()
            faults += len(chunk)
            found += chunk[: SHOWN_PER_CHECK - len(found)]
            first += _CHUNK
    return _answer(check, rows, faults, found)


def _ask(check: Check, *values: str) -> Answer:
    with connection.cursor() as cursor:
        cursor.execute(check.sql, list(values))
        found = cursor.fetchall()
    return _answer(check, _count(check.counts), len(found), found[:SHOWN_PER_CHECK])


def _collect(check: Check, faults: Iterator[tuple[str, str, str]], rows: int) -> Answer:
    found = list(faults)
    return _answer(check, rows, len(found), found[:SHOWN_PER_CHECK])


def _answer(check: Check, rows: int, faults: int, found: list[tuple[str, str, str]]) -> Answer:
    return Answer(
        check=check,
        rows=rows,
        faults=faults,
        findings=tuple(Finding(check.name, row, field, text) for row, field, text in found),
    )


_TABLES: Mapping[str, str] = {
    "transactions": "ledger_transaction",
    "day totals": "ledger_daytotal",
    "texts": "ledger_transactiontext",
}


def _count(counted: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {_TABLES[counted]}")  # noqa: S608 - our own text
        return int(cursor.fetchone()[0])


def _text_faults(span: Span) -> Iterator[tuple[str, str, str]]:
    rows = TransactionText.objects.select_related("transaction").order_by("pk")
    if span.since is not None:
        recent = rows.filter(transaction__posted_at__gte=span.since)
        rows = recent | rows.annotate(turn=F("pk") % PART).filter(turn=span.turn % PART)
    for row in rows.iterator(chunk_size=2_000):
        name = f"transaction {row.transaction_id} ({row.transaction.public_id})"
        try:
            digest = policies.text_digest(bytes(row.salt), row.text)
        except InvariantBroken as error:
            yield name, "text", str(error)
            continue
        if row.transaction.text_digest is None or bytes(row.transaction.text_digest) != digest:
            yield name, "text", "the words or their salt are not those that were signed"


def _anchor_faults() -> Iterator[tuple[str, str, str]]:
    for row in Anchor.objects.order_by("pk").iterator():
        name = f"anchor of block {row.pk}"
        document = AnchorDocument(block=row.pk, hash=bytes(row.hash), made_at=row.made_at)
        try:
            document.check(row.key_id, bytes(row.signature))
        except BadAnchor as fault:
            yield name, "signature", str(fault)
        if _hash_of(row.pk) != document.hash:
            yield name, "hash", "is not the hash of its block"


def _hash_of(block: int) -> bytes | None:
    found = Block.objects.filter(pk=block).values_list("hash", flat=True).first()
    return None if found is None else bytes(found)


def _outside(place: Outside) -> Answer:
    check = Check(
        f"anchors_{place.store}",
        f"the chain is the one that was anchored in the {place.store}",
        "files",
        "",
    )
    return _collect(check, _outside_faults(place), len(place.files))


def _outside_faults(place: Outside) -> Iterator[tuple[str, str, str]]:
    if place.failure is not None:
        yield f"the {place.store}", "names", str(place.failure)
        return
    for name, content in place.files.items():
        row = f"{name} in the {place.store}"
        try:
            if isinstance(content, StoreFailed):
                raise content
            document = load(content)
        except (BadAnchor, StoreFailed) as fault:
            yield row, "signature", str(fault)
            continue
        found = _hash_of(document.block)
        if found is None:
            yield (
                row,
                "block",
                f"block {document.block} was anchored and is missing: the chain was cut or replaced",
            )
        elif found != document.hash:
            yield row, "hash", f"block {document.block} has another hash now: the chain was rewritten"
    stored = Anchor.objects.filter(copies__store=place.store).values_list("copies__name", flat=True)
    for name in sorted(set(stored) - set(place.files)):
        yield f"{name} in the {place.store}", "name", "was written and is gone"
