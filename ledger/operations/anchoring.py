"""Anchors: the latest block's hash, signed, and written where the database cannot write."""

import logging
from datetime import datetime

from django.db import transaction

from ledger.anchoring.documents import AnchorDocument
from ledger.anchoring.stores import StoreFailed, configured
from ledger.models.seals import Anchor, AnchorCopy, Block
from ledger.operations.sealing import seal

_log = logging.getLogger(__name__)
_AT_ONCE = 500


def anchor(*, now: datetime) -> Anchor | None:
    """
    Seal what is committed, sign the latest block's hash, and write it to every configured place.

    Returns the latest block's anchor, new or not; None on an empty ledger. A place that does not answer gets what it
    misses the next time; what was written is in the anchor's `copies`. Talks to the network: call it outside of a
    transaction.

    :raises BadKeyRing: if ANCHOR_KEYS holds no usable key
    """
    seal()
    latest = _sign_latest(now=now)
    write_copies(now=now)
    return latest


@transaction.atomic
def _sign_latest(*, now: datetime) -> Anchor | None:
    block = Block.objects.order_by("-n").first()
    if block is None:
        return None
    known = Anchor.objects.filter(pk=block.n).first()
    if known is not None:
        return known
    document = AnchorDocument(block=block.n, hash=bytes(block.hash), made_at=now)
    key_id, signature = document.sign()
    # Two who anchor at once: the second takes the first one's.
    Anchor.objects.bulk_create(
        [Anchor(block=block, hash=document.hash, key_id=key_id, signature=signature, made_at=now)],
        ignore_conflicts=True,
    )
    return Anchor.objects.get(pk=block.n)


def write_copies(*, now: datetime) -> list[str]:
    """
    Write every anchor that a configured place does not have yet, oldest first; return what stood against it, in words.

    Safe to run twice: a place keeps the first of two equal files.
    """
    faults = []
    for name, store in configured().items():
        missing = Anchor.objects.exclude(copies__store=name).order_by("pk")[:_AT_ONCE]
        try:
            for row in missing:
                document = document_of(row)
                store.write(document.name, document.dump(row.key_id, bytes(row.signature)))
                AnchorCopy.objects.bulk_create(
                    [AnchorCopy(anchor=row, store=name, name=document.name, stored_at=now)],
                    ignore_conflicts=True,
                )
        except StoreFailed as failure:
            _log.error("anchor not stored in %s: %s", name, failure)
            faults.append(f"{name}: {failure}")
    return faults


def document_of(row: Anchor) -> AnchorDocument:
    """Return what an anchor says outside the database."""
    return AnchorDocument(block=row.pk, hash=bytes(row.hash), made_at=row.made_at)
