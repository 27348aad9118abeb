"""The bank files that wait, read one by one: what goes wrong with one of them stops no other."""

from collections.abc import Callable
from datetime import datetime

import structlog

from flowlet.core.errors import AppError
from ledger.operations.reconciliation import accept_file, hold_file
from ledger.queries.reconciliation import list_unfinished_files

_log = structlog.get_logger("ledger.bank_files")


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
