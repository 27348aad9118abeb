"""Answers as bytes: what is stored under an idempotency key is exactly what is sent."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import cast

import orjson
from django.http import HttpResponse, StreamingHttpResponse
from rest_framework.response import Response

JSON = "application/json"


def dumps(value: object) -> bytes:
    """Return JSON in UTF-8; times in RFC 3339 with Z."""
    return orjson.dumps(value, option=orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS)


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, ready to be sent or stored. `object_id` is the public id of what it created, if anything."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = JSON
    object_id: str = ""
    code: str = ""

    # A file too big for memory: read once, instead of `body`, and never kept under an idempotency key.
    pieces: Iterator[bytes] | None = None

    def response(self) -> HttpResponse:
        """Return it as Django's response."""
        response = HttpResponse(self.body, status=self.status, content_type=self.content_type)
        if self.pieces is not None:
            streamed = StreamingHttpResponse(self.pieces, status=self.status, content_type=self.content_type)
            response = cast("HttpResponse", streamed)  # nothing on the way asks for its content
        for name, value in self.headers.items():
            response.headers[name] = value
        return response


def as_answer(response: Response | Answer) -> Answer:
    """Render what a view returned."""
    if isinstance(response, Answer):
        return response
    data = response.data
    return Answer(
        status=response.status_code,
        body=b"" if data is None else dumps(data),
        headers={k: v for k, v in response.headers.items() if k.lower() != "content-type"},
        object_id=str(data.get("id", "")) if isinstance(data, dict) else "",
    )
