"""Processes of other programs: start one that outlives us, tell whether it lives, end it."""

import os
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

_PAUSE_S = 0.02
_children: dict[int, "subprocess.Popen[bytes]"] = {}


def remember(process: "subprocess.Popen[bytes]") -> None:
    """Keep a child that may outlive us, so that its end is noticed while we are still here."""
    _children[process.pid] = process


def command_line(pid: int) -> str:
    """Return the command a process was started with; empty when there is no such process or it is a zombie."""
    child = _children.get(pid)
    if child is not None and child.poll() is not None:
        return ""
    proc = Path("/proc") / str(pid) / "cmdline"
    if proc.parent.parent.joinpath("self").exists():
        try:
            return proc.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return ""
    listing = subprocess.run(
        ["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return listing.stdout.strip()


def is_running(pid: int | None, marker: str) -> bool:
    """
    Tell whether the process lives and is the one we mean.

    The marker must stand in its command line: a number left behind by a crash may belong to somebody else by now.
    """
    line = command_line(pid) if pid else ""
    return bool(line) and marker in line


def wait_until(condition: Callable[[], bool], timeout_s: float) -> bool:
    """Ask again and again until the condition holds; False when it still does not after the time."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_PAUSE_S)
    return True


def end(
    pid: int, marker: str, *, first: signal.Signals, grace_s: float, last: signal.Signals, group: bool
) -> bool:
    """
    Ask a process (or its whole group) to end, and force it when the grace is over.

    :returns: True when it went without force
    """
    send = os.killpg if group else os.kill
    for attempt, wish in enumerate((first, last)):
        try:
            send(pid, wish)
        except ProcessLookupError:
            return attempt == 0
        if wait_until(lambda: not is_running(pid, marker), grace_s if attempt == 0 else 10.0):
            return attempt == 0
    return False


def tail(path: Path, lines: int = 20, start: int = 0) -> str:
    """Return the last lines of a log from byte `start` on, or an empty text when there is none."""
    try:
        with path.open("rb") as log:
            log.seek(start)
            return "".join(deque((line.decode(errors="replace") for line in log), lines))
    except FileNotFoundError:
        return ""


def size(path: Path) -> int:
    """Return the length of a file in bytes; 0 when it does not exist."""
    return path.stat().st_size if path.exists() else 0
