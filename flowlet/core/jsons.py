"""JSON with one reading: what two parsers could read differently is refused."""

import json
import math
from collections.abc import Mapping
from typing import Any

from flowlet.core.errors import AppError

DEPTH_MAX = 20
_DIGITS_MAX = 40


class MalformedJson(AppError):
    """The body is not JSON, or could be read in two ways."""

    code = "malformed_json"
    http_status = 400
    title = "Malformed JSON"
    message = "The body is not valid JSON: {reason}."

    def __init__(self, *, reason: str) -> None:
        super().__init__(reason=reason)


def loads(data: bytes) -> Any:
    """
    Read one JSON document (RFC 8259), UTF-8, at most 20 levels deep.

    Numbers stay exact integers or finite floats; a name twice in one object, NUL, NaN and lone surrogates are refused.

    :raises MalformedJson: with the reason
    """
    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_object,
            parse_constant=_refuse_constant,
            parse_float=_float,
            parse_int=_int,
        )
        _check(value, 1)
    except UnicodeDecodeError:
        raise MalformedJson(reason="it is not UTF-8") from None
    except RecursionError:
        raise MalformedJson(reason=f"it is nested more than {DEPTH_MAX} levels deep") from None
    except json.JSONDecodeError as error:
        raise MalformedJson(reason=f"{error.msg} at line {error.lineno}, column {error.colno}") from None
    return value


def dumps_canonical(value: object) -> bytes:
    """Return one byte sequence per value: sorted names, no blanks, UTF-8 (RFC 8785 for integers and text)."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def _object(pairs: list[tuple[str, Any]]) -> Mapping[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise MalformedJson(reason="a name comes twice in one object")
    return result


def _refuse_constant(text: str) -> float:
    raise MalformedJson(reason=f"{text} is no JSON number")


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise MalformedJson(reason="a number is out of range")
    return value


def _int(text: str) -> int:
    if len(text) > _DIGITS_MAX:
        raise MalformedJson(reason="a number is out of range")
    return int(text)


def _check(value: object, depth: int) -> None:
    if depth > DEPTH_MAX:
        raise MalformedJson(reason=f"it is nested more than {DEPTH_MAX} levels deep")
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_text(key)
            _check(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            _check(item, depth + 1)


def _check_text(text: str) -> None:
    if "\0" in text or any("\ud800" <= char <= "\udfff" for char in text):
        raise MalformedJson(reason="a text holds a character that cannot be stored")
