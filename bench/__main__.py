"""
All benchmarks of the ledger in one run and one table of ratios, each held against its goal.

    python -m bench [--only post,asof] [--quick] [--write]

Each part measures in a throw-away database of its own on the server of DATABASE_URL, which must run on this machine.
`--quick` is for trying it out: small sizes, whose ratios may miss goals that are set for large ones. `--write` puts the
tables into docs/performance.md. The exit code says whether all goals are met.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["DJANGO_SETTINGS_MODULE"] = "bench.settings"

import django

django.setup()

from bench import post  # noqa: E402 - needs Django to be set up
from bench.databases import copied, migrated  # noqa: E402 - as above
from bench.ledger import (  # noqa: E402 - as above
    asof,
    exporting,
    growth,
    hot,
    importing,
    lists,
    matching,
    sealing,
    sums,
    trial,
)
from bench.rows import Row, table  # noqa: E402 - as above

_PAGE = Path(__file__).resolve().parents[1] / "docs" / "performance.md"
_QUICK_POSTINGS = 20_000
# In the order of the table; the second are the sizes of a quick run.
_PARTS: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "post": (post.measure, {"rounds": 1, "transactions": 100, "seconds": 0.5}),
    "sums": (sums.measure, {"legs": 500, "rounds": 2}),
    "sealing": (sealing.measure, {"rounds": 1, "transactions": 100, "seconds": 0.5}),
    "hot": (hot.measure, {"rounds": 1, "seconds": 0.5}),
    "asof": (asof.measure, {"long": _QUICK_POSTINGS}),
    "trial": (trial.measure, {"postings": _QUICK_POSTINGS}),
    "lists": (lists.measure, {"postings": _QUICK_POSTINGS, "rounds": 5}),
    "exporting": (exporting.measure, {"entries": 5_000}),
    "importing": (importing.measure, {"lines": 1_000}),
    "matching": (matching.measure, {"seeds": 3, "movements": 2_000, "small": 200}),
    "growth": (growth.measure, {"sizes": (1_000, 10_000, 50_000), "rounds": 2}),
}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default="", help=f"parts, with commas: {', '.join(_PARTS)}")
    parser.add_argument("--quick", action="store_true", help="small sizes")
    parser.add_argument("--write", action="store_true", help="write docs/performance.md")
    arguments = parser.parse_args()
    arguments.parts = [name.strip() for name in arguments.only.split(",") if name.strip()] or list(_PARTS)
    unknown = set(arguments.parts) - set(_PARTS)
    if unknown:
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    if arguments.write and arguments.quick:
        parser.error("what is measured quickly is not written down")
    return arguments


def _measured(name: str, *, quick: bool) -> tuple[list[Row], str]:
    """Return a part's rows and its own table, if it has one."""
    measure, small = _PARTS[name]
    with copied(name):
        found = measure(**(small if quick else {}))
    return found if isinstance(found, tuple) else (found, "")


def _write(name: str, text: str) -> None:
    """Replace the part of the page that is marked with that name."""
    begin, end = f"<!-- bench {name} begins -->", f"<!-- bench {name} ends -->"
    head, _, rest = _PAGE.read_text().partition(begin)
    _, _, tail = rest.partition(end)
    _PAGE.write_text(f"{head}{begin}\n{text}\n{end}{tail}")


def main() -> int:
    """Measure, print, and say whether the goals are met."""
    arguments = _arguments()
    rows: list[Row] = []
    with migrated():
        for name in arguments.parts:
            begun = time.monotonic()
            print(f"{name} …", file=sys.stderr)
            found, ways = _measured(name, quick=arguments.quick)
            rows += found
            print(table(found), f"  {name} took {time.monotonic() - begun:.0f} s", sep="\n", file=sys.stderr)
            if ways:
                print(f"{ways}\n")
                if arguments.write:
                    _write("ways", ways)
    print(table(rows))
    if arguments.write:
        _write("goals", table(rows))
    return 0 if all(row.met for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
