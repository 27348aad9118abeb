"""File locks: the kernel gives them back when a process dies, however it dies."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from flowlet.local.paths import give_to_owner, make_folder


class FileLock:
    """A lock on a file, shared by several holders or held by one alone."""

    def __init__(self, path: Path) -> None:
        make_folder(path.parent)
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        give_to_owner(path)

    def share(self) -> Self:
        """Hold the lock beside others; waits for one who holds it alone."""
        fcntl.flock(self._fd, fcntl.LOCK_SH)
        return self

    def take(self) -> Self:
        """Hold the lock alone; waits for all others."""
        fcntl.flock(self._fd, fcntl.LOCK_EX)
        return self

    def try_take(self) -> bool:
        """Hold the lock alone if nobody else holds it; tell whether that worked."""
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def keep_across_exec(self) -> None:
        """Let the program that replaces this process go on holding the lock."""
        os.set_inheritable(self._fd, True)

    def release(self) -> None:
        """Give the lock back and close its file."""
        os.close(self._fd)


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the lock on `path` alone for the length of the block; waits until it is free."""
    lock = FileLock(path).take()
    try:
        yield
    finally:
        lock.release()
