"""What a person sees while things start: numbered steps, each with the seconds it took."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TextIO


@dataclass
class Progress:
    """Prints one line a step; `total` is the number of steps that will come."""

    total: int
    stream: TextIO = sys.stdout
    _begun: float = field(default_factory=time.monotonic)
    _number: int = 0

    @contextmanager
    def step(self, title: str, *, streams: bool = False) -> Iterator["Step"]:
        """
        Show the title at once, and what came of it with its time when the block ends.

        :param streams: the block prints lines of its own, so the outcome gets a line of its own too
        """
        self._number += 1
        begun = time.monotonic()
        step = Step()
        self._say(f"[{self._number}/{self.total}] {title} … ", end="\n" if streams else "")
        try:
            yield step
        except BaseException:
            self._say("      failed" if streams else "failed")
            raise
        self._say(f"{'      ' if streams else ''}{step.outcome} ({time.monotonic() - begun:.1f} s)")

    def _say(self, text: str, end: str = "\n") -> None:
        self.stream.write(text + end)
        self.stream.flush()

    @property
    def elapsed_s(self) -> float:
        """Seconds since the first step began."""
        return time.monotonic() - self._begun


@dataclass
class Step:
    """One step's outcome, in a few words."""

    outcome: str = "done"


def say(text: str, end: str = "\n") -> None:
    """Print at once, also into a pipe."""
    sys.stdout.write(text + end)
    sys.stdout.flush()
