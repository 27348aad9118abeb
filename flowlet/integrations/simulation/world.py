"""Time, chance and ids of the simulated world: the same seed and the same calls give the same answers."""

import hashlib
import heapq
import itertools
import threading
import time
from typing import Any

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_LENGTH = 24


class World:
    """
    What the four vendors share. `lock` guards all state; whoever handles a call holds it.

    The clock runs with the machine's, moved by what control has added; a journal that is read back sets `replaying`.
    """

    def __init__(self, seed: str = "flowlet") -> None:
        self.lock = threading.RLock()
        self.reset(seed)

    def reset(self, seed: str) -> None:
        """Start again at the beginning of time with this seed."""
        self.seed = seed
        self.moved_s = 0.0
        self.replaying: float | None = None
        self._counters: dict[str, int] = {}
        self._order = itertools.count()
        self._steps: list[tuple[float, int, str, str, dict[str, Any]]] = []

    def now(self) -> float:
        """Return seconds since the epoch in this world."""
        return self.replaying if self.replaying is not None else time.time() + self.moved_s

    def advance(self, seconds: float) -> None:
        """Move the clock forward."""
        self.moved_s += seconds

    def digest(self, *parts: object) -> bytes:
        """Return bytes that depend on the seed and the parts only."""
        return hashlib.sha256("|".join([self.seed, *map(str, parts)]).encode()).digest()

    def count(self, kind: str) -> int:
        """Return 1, 2, 3 … for each kind."""
        self._counters[kind] = self._counters.get(kind, 0) + 1
        return self._counters[kind]

    def chance(self, kind: str) -> float:
        """Return the next number of a series in [0, 1)."""
        return int.from_bytes(self.digest("chance", kind, self.count(f"chance {kind}"))[:6], "big") / 2**48

    def new_id(self, kind: str, prefix: str = "", length: int = _LENGTH) -> str:
        """Return the next id of its kind in letters and digits."""
        value = int.from_bytes(self.digest("id", kind, self.count(kind)), "big")
        text = ""
        for _ in range(length):
            value, digit = divmod(value, len(_BASE62))
            text += _BASE62[digit]
        return prefix + text

    def new_hex(self, kind: str, prefix: str) -> str:
        """Return the next id of its kind: prefix and 32 hexadecimal digits."""
        return prefix + self.digest("hex", kind, self.count(kind)).hex()[:32]

    def plan(self, after_s: float, vendor: str, name: str, args: dict[str, Any]) -> None:
        """Have `step_<name>` of a vendor run in so many seconds."""
        heapq.heappush(self._steps, (self.now() + after_s, next(self._order), vendor, name, args))

    def due(self) -> list[tuple[str, str, dict[str, Any]]]:
        """Take the steps whose time has come, oldest first."""
        taken = []
        while self._steps and self._steps[0][0] <= self.now():
            _, _, vendor, name, args = heapq.heappop(self._steps)
            taken.append((vendor, name, args))
        return taken
