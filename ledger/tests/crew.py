"""Operations, and threads that run a batch of them at once while their connections are cut under their hands."""

import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Barrier, Lock, get_ident
from typing import Any

from django.db import InterfaceError, OperationalError, connection

from flowlet.core.errors import AppError

THREADS = 6
# A number may belong to somebody else by now: only a connection to this database is cut.
_CUT = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = %s AND datname = current_database()"
)


@dataclass(frozen=True)
class Op:
    """One operation; the numbers choose among what there is when it is made."""

    kind: str
    first: int
    second: int
    minor: int


@dataclass
class Act:
    """An operation with its key, and what came of it: `error` is None when it was accepted."""

    op: Op
    key: str
    run: Callable[[], Any]
    moves: dict[int, int] = field(default_factory=dict)  # account -> change of what it holds, natural sign
    takes: dict[int, int] = field(default_factory=dict)  # account -> what it needs available
    hold_id: int = 0
    delta: int = 0  # change of what the hold keeps open
    final: bool = False  # ends the hold
    drafts: int = 0
    error: AppError | None = None
    answer: Any = None


class Crew:
    """Threads with a connection each, which may be cut under their hands."""

    def __init__(self, threads: int = THREADS) -> None:
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads)
        self._pids: dict[int, int] = {}
        self._guard = Lock()
        self.cut = self.deadlocks = 0

    def run(self, acts: Sequence[Act], *, cuts: int) -> None:
        """Run all at once; `cuts` connections are ended meanwhile."""
        if len(acts) == 1:
            self._attempt(acts[0])
            return
        barrier = Barrier(min(len(acts), self._threads))
        running = [self._pool.submit(self._begin, act, barrier, number) for number, act in enumerate(acts)]
        for _ in range(cuts):
            self._cut_one()
        for one in running:
            one.result()

    def close(self) -> None:
        """Close every thread's connection and end the threads."""
        barrier = Barrier(self._threads)

        def leave() -> None:
            barrier.wait()
            connection.close()

        for one in [self._pool.submit(leave) for _ in range(self._threads)]:
            one.result()
        self._pool.shutdown()

    def _begin(self, act: Act, barrier: Barrier, number: int) -> None:
        if number < barrier.parties:
            barrier.wait()
        self._attempt(act)

    def _attempt(self, act: Act) -> None:
        for _ in range(20):
            try:
                self._note_connection()
                act.error = None
                act.answer = act.run()
            except AppError as refusal:
                act.error = refusal
            except (OperationalError, InterfaceError) as error:
                if getattr(error.__cause__, "pgcode", None) == "40P01":
                    self.deadlocks += 1
                connection.close()
                continue
            return
        raise AssertionError(f"{act.op} never got through")

    def _note_connection(self) -> None:
        if connection.connection is None or connection.connection.closed:
            connection.close()
            connection.ensure_connection()
            with self._guard:
                self._pids[get_ident()] = connection.connection.info.backend_pid

    def _cut_one(self) -> None:
        with self._guard:
            own = connection.connection.info.backend_pid if connection.connection else 0
            pids = [pid for pid in self._pids.values() if pid != own]
        if pids:
            with connection.cursor() as cursor:
                cursor.execute(_CUT, [random.choice(pids)])
                self.cut += cursor.rowcount
