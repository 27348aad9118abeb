"""The circuit breaker: a vendor that keeps failing is left alone for a while, then asked once."""

import threading
from collections import deque
from dataclasses import dataclass, field

from flowlet.integrations import memory

WINDOW_S = 30.0
OPEN_S = 30.0
RECENT = 10
FAILURES = 5


@dataclass(slots=True)
class _Local:
    recent: deque[tuple[float, bool]] = field(default_factory=lambda: deque(maxlen=RECENT))
    open_until: float = 0.0
    probe_of: float = 0.0


class Breaker:
    """
    Opens for 30 s after 5 failures among the latest 10 calls within 30 s, then lets one probe through.

    Each process counts its own calls; that the breaker is open, and who probes, is shared through Redis while Redis
    is there. Times are seconds since the epoch, handed in by the caller.
    """

    def __init__(self, vendor: str) -> None:
        self.vendor = vendor
        self._local = _Local()
        self._lock = threading.Lock()

    def allow(self, *, at: float) -> bool:
        """Tell whether a call may be made now; True once after each pause, to the one who probes."""
        until = max(self._shared_until(), self._local.open_until)
        if not until:
            return True
        return at >= until and self._take_probe(until)

    def record(self, *, ok: bool, at: float) -> None:
        """Count one finished call: a success closes the breaker, the fifth recent failure opens it."""
        with self._lock:
            state = self._local
            if ok and state.open_until:
                state.recent.clear()
            state.recent.append((at, ok))
            failures = sum(1 for when, good in state.recent if not good and when > at - WINDOW_S)
            was_open = bool(max(state.open_until, self._shared_until()))
            state.open_until = 0.0 if ok else state.open_until
            opens = not ok and (was_open or failures >= FAILURES)
            if opens:
                state.open_until = at + OPEN_S
        if opens:
            self._share(at + OPEN_S)
        elif ok and was_open:
            self._share(0.0)

    def open_until(self) -> float:
        """Return until when the vendor is left alone, 0 when the breaker is closed."""
        return max(self._shared_until(), self._local.open_until)

    def reset(self) -> None:
        """Forget everything, as in a new process."""
        self._local = _Local()
        self._share(0.0)

    def _key(self, part: str) -> str:
        return f"vendor-breaker:{self.vendor}:{part}"

    def _shared_until(self) -> float:
        return float(memory.recall(self._key("open"), 0.0))

    def _share(self, until: float) -> None:
        if until:
            memory.note(self._key("open"), until, seconds=10 * OPEN_S)
        else:
            memory.forget(self._key("open"))

    def _take_probe(self, until: float) -> bool:
        # One probe for each time it opened; the name of the key is the opening it belongs to.
        taken = memory.first(self._key(f"probe:{until:.3f}"), seconds=OPEN_S)
        if taken is not None:
            return taken
        with self._lock:
            first, self._local.probe_of = self._local.probe_of != until, until
        return first


_breakers: dict[str, Breaker] = {}


def breaker_for(vendor: str) -> Breaker:
    """Return this process's breaker of a vendor."""
    return _breakers.setdefault(vendor, Breaker(vendor))
