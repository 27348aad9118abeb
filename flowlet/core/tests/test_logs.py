"""Logs: JSON lines from which personal data and secrets are missing whatever a caller passes."""

import io
import json
import logging

import structlog

from flowlet.core.logs import configure


def _logged(act) -> list[dict]:
    stream = io.StringIO()
    formatter = configure("INFO")["formatters"]["json"]
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter.pop("()")(**formatter))
    logger = logging.getLogger("flowlet.test_logs")
    logger.addHandler(handler)
    logger.setLevel("INFO")
    try:
        act()
    finally:
        logger.removeHandler(handler)
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_key_that_is_not_on_the_list_is_dropped_and_counted():
    (line,) = _logged(
        lambda: structlog.get_logger("flowlet.test_logs").info(
            "paid", code="ok", name="Ana Lund", iban="DE02"
        )
    )

    assert line["event"] == "paid"
    assert line["code"] == "ok"
    assert line["dropped_keys"] == 2
    assert "Lund" not in json.dumps(line)


def test_a_line_break_in_a_message_cannot_forge_a_second_line():
    lines = _logged(lambda: logging.getLogger("flowlet.test_logs").info('one\n{"event": "two"}'))

    assert len(lines) == 1


def test_a_trace_shows_no_values_of_variables():
    def fail() -> None:
        secret = "very" + "-hidden" * bool(lines)
        try:
            int(secret[:0])
        except ValueError:
            logging.getLogger("flowlet.test_logs").exception("failed")

    lines = ["so that the value exists at run time only"]
    (line,) = _logged(fail)

    assert "ValueError" in json.dumps(line["exception"])
    assert "very-hidden" not in json.dumps(line)
