"""
What a posting costs: by naive ORM, django-hordak, the ORM through our guards, our function, and in batches.

Rounds are interleaved. CPU is that of the client process and of its PostgreSQL backend together; the server must run on
this machine.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from django.db import connection

from bench import measuring
from bench.rows import Row
from bench.ways import BATCH, WAYS

FUNCTION_LEAST, ORM_LEAST, HORDAK_LEAST, BATCH_LEAST = 5.0, 2.0, 2.0, 2.5


@dataclass(frozen=True)
class Line:
    """One way: CPU seconds of client and server per transaction, transactions per second."""

    title: str
    client: float
    server: float
    rate: float

    @property
    def cpu(self) -> float:
        """Client and server together."""
        return self.client + self.server


def measure(
    *, rounds: int = 5, transactions: int = 400, seconds: float = 2.0, processes: int = 4
) -> tuple[list[Row], str]:
    """Measure in the database that is connected, a throw-away one; return the ratios, and a table of the ways."""
    accounts = {way.key: way.accounts() for way in WAYS}
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    samples: dict[str, list[tuple[float, float, float]]] = {way.key: [] for way in WAYS}
    # Round 0 warms caches and plans and is not counted.
    for number in range(rounds + 1):
        for way in WAYS:
            client, server = measuring.cpu(way, accounts[way.key], transactions)
            rate = measuring.throughput(way, accounts[way.key], seconds, processes)
            print(
                f"  round {number} {way.key:10} {1e3 * (client + server):7.3f} ms {rate:9.0f}/s",
                file=sys.stderr,
            )
            if number:
                samples[way.key].append((client, server, rate))
    lines = {
        way.key: Line(way.title, *(median(column) for column in zip(*samples[way.key], strict=True)))
        for way in WAYS
    }
    load = f"{_server()}; {processes} processes, {rounds} rounds, medians"
    return _ratios(lines), _table(list(lines.values()), load)


def _ratios(lines: dict[str, Line]) -> list[Row]:
    naive, function = lines["naive"], lines["function"]
    return [
        Row("CPU of a posting, naive ORM / our function", naive.cpu / function.cpu, FUNCTION_LEAST),
        Row("CPU of a posting, naive ORM / ORM through our guards", naive.cpu / lines["orm"].cpu, ORM_LEAST),
        Row(
            "postings per second, our function / django-hordak",
            function.rate / lines["hordak"].rate,
            HORDAK_LEAST,
        ),
        Row(
            f"postings per second, {BATCH} in one call / one by one",
            lines["batch"].rate / function.rate,
            BATCH_LEAST,
        ),
    ]


def _table(lines: Sequence[Line], load: str) -> str:
    naive = lines[0]
    rows = [
        f"| {line.title} | {line.cpu / naive.cpu:.2f} | {line.client / naive.cpu:.2f} | {line.server / naive.cpu:.2f} "
        f"| {line.rate / naive.rate:.1f} |"
        for line in lines
    ]
    head = ["| way | CPU | of it client | of it server | transactions per second |", "|---|---|---|---|---|"]
    return "\n".join([f"Transfers of two legs between 1,000 accounts; {load}.", "", *head, *rows])


def _server() -> str:
    names = ("server_version", "fsync", "synchronous_commit")
    with connection.cursor() as cursor:
        cursor.execute("SELECT " + ", ".join(f"current_setting('{name}')" for name in names))
        return ", ".join(f"{name} {value}" for name, value in zip(names, cursor.fetchone(), strict=True))
