"""Doing a whole database transaction once more when PostgreSQL ended it for the sake of another."""

import logging
import random
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import OperationalError, connection, transaction

Result = TypeVar("Result")

TRIES = 3
# Class 40 of Appendix A of the PostgreSQL manual: serialization_failure, deadlock_detected. Nothing was written.
_LOST = frozenset({"40001", "40P01"})
_PAUSE_S = 0.02
_log = logging.getLogger(__name__)


def lost_to_another(error: BaseException) -> bool:
    """Tell whether the database undid the transaction because of another one, so that it may be tried again."""
    return getattr(error.__cause__, "pgcode", None) in _LOST


def in_transaction(act: Callable[[], Result]) -> Result:
    """
    Run `act` in a database transaction, up to three times if it loses against another one.

    Each try begins from nothing: `act` must leave no trace outside the database (what is done on commit is dropped
    with the try). Inside a transaction of somebody else it runs once, as only the whole can be tried again.

    :raises OperationalError: the third loss; and whatever `act` raises
    """
    tries = 1 if connection.in_atomic_block else TRIES
    for number in range(1, tries + 1):
        try:
            with transaction.atomic():
                return act()
        except OperationalError as error:
            if number == tries or not lost_to_another(error):
                raise
            _log.warning("transaction lost to another one, try %s of %s", number, tries)
            # Both losers would meet again if they waited equally long.
            time.sleep(_PAUSE_S * number * (0.5 + random.random()))  # noqa: S311 - not a secret
    raise AssertionError
