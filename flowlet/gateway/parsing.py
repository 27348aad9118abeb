"""Reading a body once and in one way only."""

from typing import Any
from urllib.parse import parse_qsl

from django.http import HttpRequest

from flowlet.core import jsons
from flowlet.core.errors import FieldError, InvalidInput
from flowlet.gateway.errors import UnsupportedMediaType

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
FIELDS_MAX = 50


def read_json(request: HttpRequest) -> Any:
    """
    Return the JSON body; an empty body reads as an empty object.

    :raises UnsupportedMediaType: if it says it is something else, or another character set
    :raises MalformedJson: if it can be read in no way, or in two
    """
    raw = request.body
    if not raw:
        return {}
    if not _is_json(request):
        raise UnsupportedMediaType(wanted=JSON)
    return jsons.loads(raw)


def _is_json(request: HttpRequest) -> bool:
    charset = (request.content_params or {}).get("charset", "utf-8").lower().strip('"')
    return request.content_type == JSON and charset in {"utf-8", "utf8"}


def read_form(request: HttpRequest) -> dict[str, str]:
    """
    Return a form body with each name once.

    :raises UnsupportedMediaType: if it is no form
    :raises InvalidInput: if it is malformed or a name comes twice
    """
    if request.content_type != FORM:
        raise UnsupportedMediaType(wanted=FORM)
    return unique_pairs(request.body, place="")


def read_query(request: HttpRequest) -> dict[str, str]:
    """
    Return the query string with each name once.

    :raises InvalidInput: if it is malformed or a name comes twice; the pointer reads `/query/<name>`
    """
    raw = request.META.get("QUERY_STRING", "")
    return unique_pairs(raw.encode("latin-1"), place="/query") if raw else {}


def unique_pairs(raw: bytes, *, place: str) -> dict[str, str]:
    """
    Split `a=1&b=2`.

    :raises InvalidInput: if it is not UTF-8, holds NUL, too many names, or one of them twice
    """
    try:
        pairs = parse_qsl(
            raw.decode("utf-8"), keep_blank_values=True, max_num_fields=FIELDS_MAX, errors="strict"
        )
    except ValueError:
        raise InvalidInput(errors=(FieldError(place, "malformed", "This cannot be read."),)) from None
    result: dict[str, str] = {}
    for name, value in pairs:
        if name in result:
            raise InvalidInput(
                errors=(FieldError(f"{place}/{name[:80]}", "repeated", "Send each name once."),)
            )
        if "\0" in name or "\0" in value:
            raise InvalidInput(errors=(FieldError(place, "malformed", "This cannot be read."),))
        result[name] = value
    return result
