"""CPU seconds of client and server, and throughput of several processes."""

import multiprocessing
import time
from collections.abc import Sequence
from pathlib import Path
from queue import Queue
from threading import Barrier
from typing import Any

from django.db import connection

from bench.ways import Way

_WARM = 30


def server_cpu_s(pid: int) -> float:
    """Return the CPU seconds that the backend has used; the server must run on this machine."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def backend_pid() -> int:
    """Return the process id of this connection's backend."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def cpu(way: Way, accounts: Sequence[Any], transactions: int) -> tuple[float, float]:
    """Return client and server CPU seconds per transaction."""
    pid = backend_pid()
    steps = max(transactions // way.size, 1)
    # A connection plans its first statements anew; what lives on does not.
    for _ in range(max(_WARM // way.size, 6)):
        way.step(accounts)
    client, server = time.process_time(), server_cpu_s(pid)
    for _ in range(steps):
        way.step(accounts)
    done = steps * way.size
    return (time.process_time() - client) / done, (server_cpu_s(pid) - server) / done


def _worker(
    way: Way, accounts: Sequence[Any], seconds: float, start: Barrier, results: "Queue[float]"
) -> None:
    connection.close()
    way.step(accounts)
    start.wait()
    begun, done = time.perf_counter(), 0
    while time.perf_counter() - begun < seconds:
        way.step(accounts)
        done += way.size
    results.put(done / (time.perf_counter() - begun))
    connection.close()


def throughput(way: Way, accounts: Sequence[Any], seconds: float, processes: int) -> float:
    """Return transactions per second of that many processes together."""
    # Forked children must not share the parent's connection.
    connection.close()
    context = multiprocessing.get_context("fork")
    start, results = context.Barrier(processes), context.Queue()
    workers = [
        context.Process(target=_worker, args=(way, accounts, seconds, start, results))
        for _ in range(processes)
    ]
    for worker in workers:
        worker.start()
    rates = [results.get(timeout=60 + 10 * seconds) for _ in workers]
    for worker in workers:
        worker.join()
    return float(sum(rates))
