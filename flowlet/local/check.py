"""
Everything `make check` looks at, one after the other; all are run even when one fails, and what failed is said last.

The format, the lint, the types, the layers, missing migrations, the published API description, and Django's own
deployment check of the production settings with throw-away secrets.
"""

import difflib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from flowlet.local.keys import make_keys
from flowlet.local.paths import CHECKOUT
from flowlet.local.steps import say

_SCHEMA = Path("docs/openapi.yaml")


def _run(command: Sequence[str], environment: Mapping[str, str] | None = None) -> str:
    """Return an empty text when the command succeeds, else what it printed."""
    result = subprocess.run(
        command,
        cwd=CHECKOUT,
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return "" if result.returncode == 0 else result.stdout or f"exit code {result.returncode}"


def _manage(*arguments: str, settings: str, environment: Mapping[str, str] | None = None) -> str:
    return _run(
        [sys.executable, "-W", "error::RuntimeWarning", "manage.py", *arguments],
        {"DJANGO_SETTINGS_MODULE": settings, **(environment or {})},
    )


def _migrations() -> str:
    return _manage("makemigrations", "--check", "--dry-run", settings="flowlet.settings.local")


def _api_description() -> str:
    """Compare the description that ships with the one the code makes now."""
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / _SCHEMA.name
        problem = _manage(
            "spectacular",
            "--file",
            str(made),
            "--validate",
            "--fail-on-warn",
            settings="flowlet.settings.local",
        )
        if problem:
            return problem
        shipped = CHECKOUT / _SCHEMA
        before = shipped.read_text(encoding="utf-8").splitlines() if shipped.exists() else []
        now = made.read_text(encoding="utf-8").splitlines()
    changes = list(difflib.unified_diff(before, now, str(_SCHEMA), "from the code", lineterm="", n=1))
    return "\n".join([*changes[:60], "", "`make openapi` writes the file anew."]) if changes else ""


def _deployment() -> str:
    production = {**make_keys(), "ALLOWED_HOSTS": "flowlet.example", "BASE_URL": "https://flowlet.example"}
    return _manage(
        "check",
        "--deploy",
        "--fail-level",
        "WARNING",
        settings="flowlet.settings.production",
        environment=production,
    )


CHECKS: dict[str, Callable[[], str]] = {
    "ruff format": lambda: _run(["ruff", "format", "--check", "."]),
    "ruff check": lambda: _run(["ruff", "check", "."]),
    "mypy": lambda: _run(["mypy", "."]),
    "lint-imports": lambda: _run(["lint-imports"]),
    "migrations": _migrations,
    "openapi": _api_description,
    "check --deploy": _deployment,
}


def main() -> int:
    """Run all checks; return 1 when one of them found something."""
    failed = []
    for name, check in CHECKS.items():
        begun = time.monotonic()
        say(f"{name:<16}", end="")
        problem = check()
        say(f"{'FAILED' if problem else 'ok':<8}{time.monotonic() - begun:5.1f} s")
        if problem:
            failed.append(name)
            say(problem.rstrip() + "\n")
    say(f"FAILED: {', '.join(failed)}" if failed else "All checks passed.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
