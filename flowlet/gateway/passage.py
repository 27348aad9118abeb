"""What is known about one request while it passes the gateway: its id, its principal, what the log line will say."""

from dataclasses import dataclass, field

from django.http import HttpRequest

from flowlet.core.ids import new_id
from flowlet.gateway.principals import Principal

_ATTRIBUTE = "_flowlet_passage"


@dataclass(slots=True)
class Passage:
    """One request on its way; `headers` are added to whatever answer it gets."""

    request_id: str = field(default_factory=lambda: new_id("req"))
    principal: Principal | None = None
    code: str = ""
    object_id: str = ""
    replayed: bool = False
    headers: dict[str, str] = field(default_factory=dict)


def passage_of(request: HttpRequest) -> Passage:
    """Return the passage of this request; it is opened by the middleware, or here if there was none."""
    passage = getattr(request, _ATTRIBUTE, None)
    if not isinstance(passage, Passage):
        passage = Passage()
        setattr(request, _ATTRIBUTE, passage)
    return passage
