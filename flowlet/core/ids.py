"""Public ids: a prefix that names the kind and a ULID that sorts by time, such as `pay_01J9ZC5B7T…`."""

import os
import threading
import time

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_RANDOM_BITS = 80
_LENGTH = 26
_lock = threading.Lock()
_latest = 0


def _next_value() -> int:
    # Within one process ids never go back, also within one millisecond: then the random part is counted up.
    global _latest  # noqa: PLW0603 - the counter is the module's whole state
    fresh = (time.time_ns() // 1_000_000 << _RANDOM_BITS) | int.from_bytes(os.urandom(10), "big")
    with _lock:
        _latest = max(fresh, _latest + 1)
        return _latest


def new_id(prefix: str) -> str:
    """Return a new id: prefix, underscore, 26 characters of Crockford base 32 (source: the ULID specification)."""
    value = _next_value()
    digits = [_ALPHABET[(value >> shift) & 31] for shift in range(5 * (_LENGTH - 1), -1, -5)]
    return f"{prefix}_{''.join(digits)}"


def is_id(text: str, prefix: str) -> bool:
    """Tell whether the text has the shape of an id of this kind; says nothing about existence."""
    head, _, tail = text.partition("_")
    return head == prefix and len(tail) == _LENGTH and all(char in _ALPHABET for char in tail)
