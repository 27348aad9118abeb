"""Logs as one JSON object a line, with an allow list of keys: what is not named here never leaves the process."""

from collections.abc import Iterable
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

ALLOWED_KEYS = frozenset(
    {
        *(
            "event",
            "level",
            "logger",
            "timestamp",
            "exception",
            "request_id",
            "task_id",
            "parent_task_id",
            "task",
        ),
        *(
            "actor",
            "partner",
            "client",
            "user_id",
            "route",
            "method",
            "status",
            "code",
            "ms",
            "object_id",
            "count",
        ),
        *("queue", "job", "attempt", "version", "list", "dropped_keys"),
    }
)


def keep_allowed(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    """Drop keys that are not on the list and count them, so that a leak shows as a number, never as data."""
    dropped = [key for key in event if key not in ALLOWED_KEYS and not key.startswith("_")]
    for key in dropped:
        del event[key]
    if dropped:
        event["dropped_keys"] = len(dropped)
    return event


def _shared() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        # A trace without its locals: values of variables are data of people.
        structlog.processors.ExceptionRenderer(
            structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        ),
    ]


def configure(level: str, *, quiet: Iterable[str] = ()) -> dict[str, Any]:
    """Set structlog up and return Django's LOGGING; `quiet` names loggers that only speak up from WARNING."""
    structlog.configure(
        processors=[*_shared(), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "processors": [
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            keep_allowed,
            structlog.processors.JSONRenderer(),
        ],
        "foreign_pre_chain": _shared(),
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": formatter},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {name: {"level": "WARNING"} for name in quiet},
    }
