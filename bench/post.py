"""
What a posting costs: by naive ORM, django-hordak, the ORM through our guards, our function, and in batches.

One run, interleaved rounds, one PostgreSQL: figures compare within a run only. CPU is that of the client process and
of its PostgreSQL backend together; the server must run on this machine. Makes a throw-away database and drops it.

    python bench/post.py [--rounds 5] [--transactions 400] [--seconds 2] [--processes 4] [--write]

`--write` puts the table into docs/performance.md.
"""

import argparse
import os
import sys
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
os.environ["DJANGO_SETTINGS_MODULE"] = "bench.settings"

import django  # noqa: E402

django.setup()

from django.db import connection  # noqa: E402

from bench import measure, report  # noqa: E402
from bench.ways import WAYS  # noqa: E402


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--transactions", type=int, default=400, help="per way and round, for the CPU figures"
    )
    parser.add_argument("--seconds", type=float, default=2.0, help="per way and round, for the throughput")
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--write", action="store_true", help="write docs/performance.md")
    return parser.parse_args()


def _settings() -> str:
    names = ("server_version", "fsync", "synchronous_commit")
    with connection.cursor() as cursor:
        cursor.execute("SELECT " + ", ".join(f"current_setting('{name}')" for name in names))
        return ", ".join(f"{name} {value}" for name, value in zip(names, cursor.fetchone(), strict=True))


def _run(arguments: argparse.Namespace) -> list[report.Line]:
    accounts = {way.key: way.accounts() for way in WAYS}
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    samples: dict[str, list[tuple[float, float, float]]] = {way.key: [] for way in WAYS}
    # Round 0 warms caches and plans and is not counted.
    for number in range(arguments.rounds + 1):
        for way in WAYS:
            client, server = measure.cpu(way, accounts[way.key], arguments.transactions)
            rate = measure.throughput(way, accounts[way.key], arguments.seconds, arguments.processes)
            print(
                f"round {number} {way.key:10} {1e3 * (client + server):7.3f} ms {rate:9.0f}/s",
                file=sys.stderr,
            )
            if number:
                samples[way.key].append((client, server, rate))
    return [
        report.Line(way.key, way.title, *(median(column) for column in zip(*samples[way.key], strict=True)))
        for way in WAYS
    ]


def main() -> int:
    """Run, print the table, and say whether the goals are met by the exit code."""
    arguments = _arguments()
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        load = f"{_settings()}; {arguments.processes} processes, {arguments.rounds} rounds, medians"
        lines = _run(arguments)
    finally:
        connection.creation.destroy_test_db(connection.settings_dict["NAME"], verbosity=0)
    table = report.table(lines, load)
    print(table)
    if arguments.write:
        report.write(ROOT / "docs" / "performance.md", table)
    return 0 if report.goals_met(lines) else 1


if __name__ == "__main__":
    sys.exit(main())
