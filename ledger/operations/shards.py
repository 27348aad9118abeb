"""
Busy accounts in shards: a house account that every posting of a kind meets is one row that all wait for.

LEDGER_SHARDS says under which headings (`FEE_INCOME:8`), but for those in `policies.NEVER_SHARDED`. A posting to such an account goes to one of its shards, chosen
by its key; in every report by heading they are one line. Which shard it is matters to nobody: house accounts without
floor refuse nothing.
"""

import time
import zlib
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction

from flowlet.audit import trail
from ledger.models.accounts import Account
from ledger.policies import NEVER_SHARDED

_FRESH_S = 60.0
_known: tuple[float, dict[int, tuple[int, ...]]] = (0.0, {})


def shard_of(account_id: int, source_key: str) -> int:
    """
    Return the shard that takes a leg under this key, or the account itself where it has none.

    New shards are used by every process within a minute; until then the account itself takes what is booked.
    """
    if not settings.LEDGER_SHARDS:
        return account_id
    shards = _shards().get(account_id, ())
    return shards[zlib.crc32(source_key.encode()) % len(shards)] if shards else account_id


def open_missing(*, now: datetime) -> int:
    """
    Open the shards that the setting asks for and that are not there, and return how many; safe to repeat.

    :raises ImproperlyConfigured: if it names a heading whose accounts must stay whole; nothing is opened
    """
    if refused := NEVER_SHARDED.keys() & settings.LEDGER_SHARDS.keys():
        raise ImproperlyConfigured(f"LEDGER_SHARDS names {', '.join(sorted(refused))}, which must stay whole")
    opened = 0
    for code, count in settings.LEDGER_SHARDS.items():
        wholes = Account.objects.filter(
            chart_account__code=code, customer=None, name="", shard_of=None, balance__floor=None
        )
        for whole in wholes.order_by("pk"):
            opened += _open(whole, count, now)
    return opened


@transaction.atomic
def _open(whole: Account, count: int, now: datetime) -> int:
    there = set(whole.shards.values_list("shard", flat=True))
    missing = [number for number in range(count) if number not in there]
    Account.objects.bulk_create(
        (
            Account(
                chart_account=whole.chart_account,
                currency=whole.currency,
                partner_id=whole.partner_id,
                name=f"{whole.chart_account.name}, shard {number + 1}",
                shard_of=whole,
                shard=number,
                opened_at=now,
            )
            for number in missing
        ),
        # Two that open at once open the same ones.
        ignore_conflicts=True,
    )
    if missing:
        trail.record(
            action="ledger_account.shard",
            object_type="ledger_account",
            object_id=whole.public_id,
            changes={"shards": [len(there), count]},
        )
    return len(missing)


def _shards() -> dict[int, tuple[int, ...]]:
    global _known  # noqa: PLW0603 - a cache of this process
    read_at, shards = _known
    if not shards or time.monotonic() - read_at > _FRESH_S:
        shards = _read(settings.LEDGER_SHARDS)
        _known = (time.monotonic(), shards)
    return shards


def _read(codes: Iterable[str]) -> dict[int, tuple[int, ...]]:
    found: dict[int, list[int]] = defaultdict(list)
    # A process that started without the check keeps its books right all the same.
    allowed = [code for code in codes if code not in NEVER_SHARDED]
    rows = Account.objects.filter(shard_of__isnull=False, chart_account__code__in=allowed)
    for whole, pk in rows.order_by("shard_of", "shard").values_list("shard_of", "pk"):
        found[int(whole or 0)].append(pk)
    return {whole: tuple(shards) for whole, shards in found.items()}


def forget() -> None:
    """Read the shards anew at the next posting of this process."""
    global _known  # noqa: PLW0603 - as above
    _known = (0.0, {})
