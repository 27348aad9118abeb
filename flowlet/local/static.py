"""Collects style sheets, scripts and icons for the web server, only when one of them has changed."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from flowlet.local.paths import Paths

_LOCK = "constraints.txt"  # files of installed packages change only with it


def static_is_current(paths: Paths) -> bool:
    """Tell whether what was collected last is what lies in the checkout now."""
    note = _note(paths)
    return note.exists() and note.read_text(encoding="ascii") == _fingerprint(paths.checkout)


def mark_static_current(paths: Paths) -> None:
    """Remember what was just collected."""
    _note(paths).write_text(_fingerprint(paths.checkout), encoding="ascii")


def _note(paths: Paths) -> Path:
    return paths.var / "static" / ".collected"


def _fingerprint(checkout: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(_sources(checkout)):
        status = path.stat()
        digest.update(f"{path}\0{status.st_mtime_ns}\0{status.st_size}\n".encode())
    return digest.hexdigest()


def _sources(checkout: Path) -> Iterator[Path]:
    if (checkout / _LOCK).exists():
        yield checkout / _LOCK
    for pattern in ("static", "*/static", "flowlet/*/static"):
        for folder in checkout.glob(pattern):
            if folder.parent.name != "var":
                yield from (path for path in folder.rglob("*") if path.is_file())
