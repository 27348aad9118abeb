"""The keyed digest of an audit row, computed apart from the SQL that wrote it."""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

_VERSION = "flowlet-audit-1"
_BLOCK = 64
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# The order is the message: it must equal audit_message() in migrations/sql/guards.sql.
COLUMNS = (
    *("id", "epoch", "xid", "recorded_at", "origin", "partner_id", "customer", "actor_kind", "actor"),
    *("actor_label", "ip", "request_id", "action", "object_type", "object_id", "outcome", "reason_code"),
    *("changes", "note_digest", "db_user", "key_id", "nonce"),
)


def row_key(master: bytes, nonce: bytes) -> bytes:
    """Derive the key of one transaction's rows from the master key and the nonce."""
    return hmac.digest(master, nonce, hashlib.sha256)


def pads(key: bytes) -> tuple[bytes, bytes]:
    """Return the inner and outer pad of HMAC-SHA-256 (RFC 2104), 64 bytes each."""
    padded = key.ljust(_BLOCK, b"\0")
    return bytes(byte ^ 0x36 for byte in padded), bytes(byte ^ 0x5C for byte in padded)


def message(row: Mapping[str, object]) -> bytes:
    """Return the bytes that are signed: each column as `<bytes>:<text>`, so that nothing slides into its neighbour."""
    return b"".join([_VERSION.encode(), *(_part(row[column]) for column in COLUMNS)])


def mac(master: bytes, row: Mapping[str, object]) -> bytes:
    """Return the digest that the row must carry."""
    nonce = row["nonce"]
    assert isinstance(nonce, bytes | memoryview)  # noqa: S101 - narrows the type
    return hmac.digest(row_key(master, bytes(nonce)), message(row), hashlib.sha256)


def _part(value: object) -> bytes:
    if value is None:
        return b"-"
    if isinstance(value, datetime):
        value = (value - _EPOCH) // timedelta(microseconds=1)
    elif isinstance(value, bytes | memoryview):
        value = bytes(value).hex()
    text = str(value).encode()
    return str(len(text)).encode() + b":" + text
