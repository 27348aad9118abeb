"""
Keeps the programs of `make run` together: starts them, notices when one dies, ends them all.

Each runs in a session of its own, so Ctrl-C in the terminal reaches the supervisor alone, and it can end them in
order. Their process numbers are noted on disk: a supervisor that was killed is cleaned up after by the next one.
"""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from flowlet.local.errors import LauncherError
from flowlet.local.paths import Paths, give_to_owner, read_state, write_state
from flowlet.local.processes import end, is_running, tail

_GRACE_S = 30.0  # gunicorn and Celery finish what they are doing within 25 s (see deploy/gunicorn.py)
_TAIL_LINES = 25


@dataclass(frozen=True)
class Program:
    """A long-running program and the name of its log."""

    name: str
    command: tuple[str, ...]

    @property
    def marker(self) -> str:
        """What its command line reads, to tell it from a stranger with the same process number."""
        return " ".join(self.command)


class Supervisor:
    """Starts, watches and ends programs."""

    def __init__(self, paths: Paths, environment: Mapping[str, str], *, grace_s: float = _GRACE_S) -> None:
        self._grace_s = grace_s
        self._paths = paths
        self._environment = dict(environment)
        self._running: list[tuple[Program, subprocess.Popen[bytes]]] = []

    def start(self, programs: Sequence[Program]) -> None:
        """Start the programs, each writing to var/log/NAME.log from a fresh page."""
        for program in programs:
            with self.log_of(program.name).open("wb") as log:
                give_to_owner(self.log_of(program.name))
                process = subprocess.Popen(
                    program.command,
                    cwd=self._paths.checkout,
                    env=self._environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            self._running.append((program, process))
            self._note()

    def check(self) -> None:
        """
        Return while all programs run.

        :raises LauncherError: naming the first that ended, with the end of its log
        """
        for program, process in self._running:
            if process.poll() is not None:
                log = self.log_of(program.name)
                raise LauncherError(
                    f"{program.name} ended with {_describe(process.returncode)}. The end of {log}:\n"
                    f"{tail(log, _TAIL_LINES).rstrip()}"
                )

    def watch(self) -> None:
        """
        Wait until a signal's exception ends the wait.

        :raises LauncherError: when a program ends
        """
        while True:
            self.check()
            time.sleep(0.25)

    def stop(self) -> None:
        """Ask all programs to finish, all at once, and force those that do not within the grace."""
        for _, process in reversed(self._running):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + self._grace_s
        for _, process in self._running:
            try:
                process.wait(timeout=max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                _kill_group(process.pid)
                process.wait()
            _kill_group(process.pid)  # workers whose parent died without ending them
        self._running.clear()
        self._note()

    def log_of(self, name: str) -> Path:
        """Return the log file of a program."""
        return self._paths.log / f"{name}.log"

    def _note(self) -> None:
        notes = [{"pid": process.pid, "marker": program.marker} for program, process in self._running]
        write_state(_notes_file(self._paths), {"programs": notes})


def stop_left_over(paths: Paths) -> int:
    """End programs whose supervisor was killed; return how many there were."""
    notes = (read_state(_notes_file(paths)) or {}).get("programs", [])
    found = [note for note in notes if is_running(note["pid"], note["marker"])]
    for note in found:
        end(
            note["pid"],
            note["marker"],
            first=signal.SIGTERM,
            grace_s=_GRACE_S,
            last=signal.SIGKILL,
            group=True,
        )
    return len(found)


def _notes_file(paths: Paths) -> Path:
    return paths.run / "programs.json"


def _kill_group(pid: int) -> None:
    with suppress(
        ProcessLookupError, PermissionError
    ):  # macOS says the second of a group that has just ended
        os.killpg(pid, signal.SIGKILL)


def _describe(returncode: int) -> str:
    return f"signal {signal.Signals(-returncode).name}" if returncode < 0 else f"exit code {returncode}"
