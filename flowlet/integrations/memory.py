"""Short memory in Redis that may be gone at any time: asking then finds nothing, noting does nothing, nobody fails."""

import logging
from typing import Any

from django.core.cache import cache

logger = logging.getLogger(__name__)


def recall(key: str, default: Any = None) -> Any:
    """Return what was noted under the key, or the default."""
    try:
        return cache.get(key, default)
    except Exception:  # noqa: BLE001 - whatever is wrong with the cache, it is not worth a failure here
        return default


def note(key: str, value: Any, *, seconds: float) -> None:
    """Keep a value for so long, if there is a memory."""
    try:
        cache.set(key, value, timeout=int(seconds))
    except Exception:  # noqa: BLE001 - as above
        logger.warning("short memory is gone")


def forget(key: str) -> None:
    """Drop a value."""
    try:
        cache.delete(key)
    except Exception:  # noqa: BLE001 - as above
        logger.warning("short memory is gone")


def first(key: str, *, seconds: float) -> bool | None:
    """Tell whether nobody has asked for this key within so long; None when there is no memory to tell."""
    try:
        return bool(cache.add(key, 1, timeout=int(seconds)))
    except Exception:  # noqa: BLE001 - as above
        return None


def count(key: str, *, seconds: float) -> int:
    """Count up and return how often within so long; 0 when there is no memory."""
    try:
        cache.add(key, 0, timeout=int(seconds))
        return int(cache.incr(key))
    except Exception:  # noqa: BLE001 - as above
        return 0
