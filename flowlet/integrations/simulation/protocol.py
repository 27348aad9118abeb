"""What a simulated vendor is made of: a call comes in, a reply goes out. Standard library only."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import parse_qsl

from flowlet.integrations.simulation.world import World

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request: header names in lower case, the body as it came."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    def form(self) -> Json:
        """Return query and form body as nested objects: `a[b][]=1` becomes `{"a": {"b": ["1"]}}`."""
        pairs = parse_qsl(self.query, keep_blank_values=True)
        if "x-www-form-urlencoded" in self.headers.get("content-type", ""):
            pairs += parse_qsl(self.body.decode(), keep_blank_values=True)
        result: Json = {}
        for name, value in pairs:
            _put(result, re.findall(r"[^\[\]]+|(?<=\[)(?=\])", name), value)
        return result

    def json(self) -> Json:
        """Return the JSON body, `{}` when there is none."""
        value = json.loads(self.body or b"{}")
        return value if isinstance(value, dict) else {}


def _put(target: Json, path: list[str], value: str) -> None:
    head, rest = path[0], path[1:]
    if not rest:
        target[head] = value
    elif rest in ([""], ["0"]) or rest[0].isdigit():
        target.setdefault(head, []).append(value)
    else:
        _put(target.setdefault(head, {}), rest, value)


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP answer; `body` is turned into JSON unless it is bytes already."""

    status: int
    body: object
    headers: Mapping[str, str] = field(default_factory=dict)

    def encoded(self) -> bytes:
        """Return the bytes that go over the wire."""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass(slots=True)
class Delivery:
    """One webhook on its way: `event` is what the vendor says, `attempt` counts from 0, `due` is world time."""

    vendor: str
    url: str
    type: str
    event: Json
    due: float
    attempt: int = 0
    forged: bool = False


class VendorProblem(Exception):
    """A refusal in the vendor's own shape."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


Route = tuple[str, re.Pattern[str], str]


class Simulator:
    """
    The base of the four vendors: routes, and hooks around each call.

    `routes` maps "POST /v1/things/{thing}" to the name of a method that takes the call and the path's parts.
    """

    vendor: ClassVar[str]
    routes: ClassVar[Mapping[str, str]]

    def __init__(self, world: World, send: Callable[[Delivery], None], hook_url: str) -> None:
        self.world = world
        self.send = send
        self.hook_url = hook_url
        self._routes = [_compiled(rule, method) for rule, method in self.routes.items()]
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        raise NotImplementedError

    def books(self) -> Json:
        """Return what this vendor thinks has happened."""
        raise NotImplementedError

    def failure(self, status: int) -> Reply:
        """Return an answer that says "our fault" or "too fast" in this vendor's shape."""
        raise NotImplementedError

    def signed(self, delivery: Delivery, now: int) -> tuple[bytes, dict[str, str]]:
        """Return body and headers of a webhook, signed as this vendor signs."""
        raise NotImplementedError

    def begin(self, call: Call) -> Reply | None:
        """Look at a call before anything happens; a reply ends it here."""

    def finish(self, call: Call, reply: Reply) -> None:
        """Note what was answered."""

    def step(self, name: str, args: Json) -> None:
        """Do something that was planned for now."""
        getattr(self, f"step_{name}")(**args)

    def handle(self, call: Call) -> Reply:
        """Answer one call; faults of the caller come back in the vendor's shape."""
        for method, pattern, name in self._routes:
            match = pattern.fullmatch(call.path)
            if match and method == call.method:
                try:
                    reply: Reply = getattr(self, name)(call, **match.groupdict())
                except VendorProblem as problem:
                    return problem.reply
                return reply
        return self.failure(404)

    def request_id(self) -> str:
        """Return an id for this answer."""
        return self.world.new_id("req", "req_")


def _compiled(rule: str, name: str) -> Route:
    method, _, path = rule.partition(" ")
    parts = re.split(r"\{(\w+)\}", path)
    pattern = "".join(
        re.escape(part) if index % 2 == 0 else f"(?P<{part}>[^/]+?)" for index, part in enumerate(parts)
    )
    return method, re.compile(pattern), name
