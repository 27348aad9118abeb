"""OpenAI as the house uses it: text in, text or JSON by a schema out. Callers have replaced personal data before."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar, cast

import openai
from jsonschema import Draft202012Validator

from flowlet.core.outcomes import Answer, Outcome
from flowlet.integrations.calls import perform
from flowlet.integrations.openai.outcomes import explain
from flowlet.integrations.vendors import get_vendor

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Completion:
    """What a model said: `data` when a schema was asked for, `text` otherwise; tokens as counted by OpenAI."""

    text: str
    data: dict[str, Any] | None
    model: str
    tokens_in: int
    tokens_out: int


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """Something the model may ask us to read. It takes no arguments: the model cannot choose whose data it is."""

    name: str
    description: str

    @property
    def on_the_wire(self) -> dict[str, Any]:
        """Return it as OpenAI takes it."""
        nothing = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
        described = {"name": self.name, "description": self.description, "parameters": nothing}
        return {"type": "function", "strict": True, **described}


@dataclass(frozen=True, slots=True)
class ToolCall:
    """That the model asks for a tool; its result goes back under `call_id`."""

    call_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Turn:
    """What a model did in one turn: asked for tools, or answered (`data`, valid by the schema)."""

    calls: tuple[ToolCall, ...]
    data: dict[str, Any] | None
    model: str
    tokens_in: int
    tokens_out: int


def take_turn(
    *,
    instructions: str,
    items: Sequence[Mapping[str, Any]],
    tools: Sequence[ToolSpec],
    schema: dict[str, Any],
    our_reference: str,
    schema_name: str = "answer",
    max_output_tokens: int = 2000,
) -> Answer[Turn]:
    """
    Let the model take one turn in a conversation; tried twice as `complete` is.

    `items` are messages, the calls of turns before and their results, in OpenAI's form. Nothing is stored there.
    """
    model = get_vendor("openai").options["model"]
    text_format = {"type": "json_schema", "name": schema_name, "schema": schema, "strict": True}

    def send(client: openai.OpenAI) -> Answer[Turn]:
        response = client.responses.create(
            model=model,
            instructions=instructions,
            input=cast("Any", list(items)),
            tools=cast("Any", [tool.on_the_wire for tool in tools]),
            max_output_tokens=max_output_tokens,
            store=False,
            text=cast("Any", {"format": text_format}),
        )
        return _turn(response, schema)

    return _twice(lambda: _call("response.create", our_reference, send))


def _turn(response: Any, schema: dict[str, Any]) -> Answer[Turn]:
    calls = tuple(
        ToolCall(str(item.call_id), str(item.name))
        for item in response.output
        if item.type == "function_call"
    )
    if not calls:
        answer = _completion(response, schema)
        done = answer.value
        if done is None:
            return Answer(answer.outcome, answer.reference, answer.code, request_id=answer.request_id)
        turn = Turn((), done.data, done.model, done.tokens_in, done.tokens_out)
        return Answer(answer.outcome, answer.reference, value=turn, request_id=answer.request_id)
    request_id = str(response._request_id or "")  # noqa: SLF001 - the SDK's documented place for it
    if response.status != "completed":
        return Answer(Outcome.UNKNOWN, response.id, code="incomplete", request_id=request_id)
    usage = response.usage
    turn = Turn(
        calls,
        None,
        str(response.model),
        usage.input_tokens if usage else 0,
        usage.output_tokens if usage else 0,
    )
    return Answer(Outcome.DONE, response.id, value=turn, request_id=request_id)


def complete(
    *,
    instructions: str,
    prompt: str,
    our_reference: str,
    schema: dict[str, Any] | None = None,
    schema_name: str = "answer",
    max_output_tokens: int = 2000,
) -> Answer[Completion]:
    """
    Ask the model once, and once more if the first call certainly or possibly failed: a second answer does no harm.

    With `schema` (JSON Schema 2020-12, an object) the answer is checked against it: one that does not fit is UNKNOWN
    with code `invalid_answer`. Nothing is stored at OpenAI. `not_configured` without a key.
    """
    model = get_vendor("openai").options["model"]
    text_format: dict[str, Any] = {"type": "text"}
    if schema is not None:
        text_format = {"type": "json_schema", "name": schema_name, "schema": schema, "strict": True}

    def send(client: openai.OpenAI) -> Answer[Completion]:
        response = client.responses.create(
            model=model,
            instructions=instructions,
            input=prompt,
            max_output_tokens=max_output_tokens,
            store=False,
            text=cast("Any", {"format": text_format}),
        )
        return _completion(response, schema)

    return _twice(lambda: _call("response.create", our_reference, send))


def moderate(*, texts: Sequence[str], our_reference: str) -> Answer[tuple[bool, ...]]:
    """Tell for each text whether OpenAI flags it."""

    def send(client: openai.OpenAI) -> Answer[tuple[bool, ...]]:
        found = client.moderations.create(model="omni-moderation-latest", input=list(texts))
        return Answer(Outcome.DONE, found.id, value=tuple(bool(one.flagged) for one in found.results))

    return _twice(lambda: _call("moderation.create", our_reference, send))


def embed(*, texts: Sequence[str], our_reference: str) -> Answer[tuple[tuple[float, ...], ...]]:
    """Return a vector of length 1 for each text, in their order."""
    model = get_vendor("openai").options["embedding_model"]

    def send(client: openai.OpenAI) -> Answer[tuple[tuple[float, ...], ...]]:
        found = client.embeddings.create(model=model, input=list(texts), encoding_format="float")
        vectors = sorted(found.data, key=lambda one: one.index)
        return Answer(Outcome.DONE, value=tuple(tuple(one.embedding) for one in vectors))

    return _twice(lambda: _call("embedding.create", our_reference, send))


def _completion(response: Any, schema: dict[str, Any] | None) -> Answer[Completion]:
    request_id = str(response._request_id or "")  # noqa: SLF001 - the SDK's documented place for it
    if response.status != "completed":
        return Answer(Outcome.UNKNOWN, response.id, code="incomplete", request_id=request_id)
    text = response.output_text
    data = _valid(text, schema) if schema is not None else None
    if schema is not None and data is None:
        return Answer(Outcome.UNKNOWN, response.id, code="invalid_answer", request_id=request_id)
    usage = response.usage
    completion = Completion(
        text=text,
        data=data,
        model=str(response.model),
        tokens_in=usage.input_tokens if usage else 0,
        tokens_out=usage.output_tokens if usage else 0,
    )
    return Answer(Outcome.DONE, response.id, value=completion, request_id=request_id)


def _valid(text: str, schema: dict[str, Any]) -> dict[str, Any] | None:
    try:
        data = json.loads(text)
    except ValueError:
        return None
    fits = isinstance(data, dict) and Draft202012Validator(schema).is_valid(data)
    return data if fits else None


def _twice(ask: Callable[[], Answer[Value]]) -> Answer[Value]:
    first = ask()
    again = first.outcome is Outcome.UNKNOWN or first.code in ("no_connection", "too_many_requests")
    return ask() if again else first


@lru_cache(maxsize=4)
def _client(key: str, base_url: str, connect_s: float, read_s: float) -> openai.OpenAI:
    return openai.OpenAI(
        api_key=key,
        base_url=base_url or None,
        timeout=openai.Timeout(read_s, connect=connect_s),
        max_retries=0,
    )


def _call(
    operation: str, our_reference: str, send: Callable[[openai.OpenAI], Answer[Value]]
) -> Answer[Value]:
    vendor = get_vendor("openai")
    limits = (vendor.connect_timeout_s, vendor.read_timeout_s)
    return perform(
        vendor="openai",
        operation=operation,
        our_reference=our_reference,
        send=lambda: send(_client(vendor.key, vendor.base_url, *limits)),
        explain=explain,
    )
