"""Running calls at the same moment."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from django.db import connection

from flowlet.core.errors import AppError


def together(*calls: Callable[[], Any]) -> list[Any]:
    """Run all calls at the same moment, each on a thread and connection of its own; refusals are results."""
    barrier = Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        try:
            with connection.cursor():
                barrier.wait()
            return call()
        except AppError as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))
