"""The bank files that wait, read one by one: what goes wrong with one of them stops no other."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

from flowlet.core.errors import AppError
from ledger.errors_bank import BankFileTooLarge
from ledger.models.reconciliation import FILE_SIZE_MAX
from ledger.operations.reconciliation import accept_file, hold_file, stage_file
from ledger.queries.reconciliation import list_unfinished_files

TAKEN, REFUSED = "taken", "refused"
# Whoever writes a file under its final name has this long for it, counted from his latest write.
_STILL = timedelta(seconds=10)
_log = structlog.get_logger("ledger.bank_files")


def stage_dropped(*, folder: Path, now: datetime) -> int:
    """
    Stage the files that a bank's connection put into a folder, by name, and return how many.

    A file is moved to `taken` in that folder, or to `refused` beside a text that says why. What is still being written
    is left: hidden files, `.part`, `.tmp`, and what was changed in the latest seconds. Safe to run twice: a file that
    was staged before it could be moved is refused as known.
    """
    staged = 0
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if (
            path.name.startswith(".")
            or path.suffix in (".part", ".tmp")
            or path.is_symlink()
            or not path.is_file()
        ):
            continue
        if datetime.fromtimestamp(path.stat().st_mtime, UTC) > now - _STILL:
            continue
        fault = _stage(path, now)
        target = folder / (REFUSED if fault else TAKEN)
        target.mkdir(exist_ok=True)
        if fault:
            (target / f"{path.name}.txt").write_text(f"{fault}\n")
            _log.warning("bank_file_refused", name=path.name, fault=fault)
        path.replace(target / path.name)
        staged += not fault
    return staged


def _stage(path: Path, now: datetime) -> str:
    """Stage one file; return what stands against it, in words, or nothing."""
    try:
        if path.stat().st_size > FILE_SIZE_MAX:
            raise BankFileTooLarge(max_mb=FILE_SIZE_MAX // 1024 // 1024)  # before all of it is in memory
        stage_file(data=path.read_bytes(), name=path.name, now=now)
    except AppError as refusal:
        return refusal.detail
    except OSError as error:
        return f"The file could not be read: {error.strerror}."
    return ""


def accept_waiting(*, clock: Callable[[], datetime], limit: int) -> int:
    """
    Read the files that wait and go on with those that were begun, and return how many were looked at.

    An error that nobody foresaw is logged and stays with its file, where staff see it; see `hold_file`. Files that
    failed before come last. `clock` tells the present instant.
    """
    waiting = list(list_unfinished_files().values_list("pk", flat=True)[:limit])
    for file_id in waiting:
        try:
            accept_file(file_id=file_id, now=clock())
        except AppError as refusal:
            # Somebody put it aside since the list was read.
            _log.info("bank_file_passed_over", file=file_id, fault=refusal.code)
        except Exception:  # noqa: BLE001 - whatever it was, the others are read
            _log.exception("bank_file_failed", file=file_id)
            hold_file(file_id=file_id, now=clock())
    return len(waiting)
