"""How views describe themselves in the OpenAPI document: `document` on a handler, the rest is read from the view."""

from collections.abc import Callable, Mapping
from functools import cache
from http import HTTPStatus
from typing import Any, TypeVar

from drf_spectacular.extensions import OpenApiSerializerExtension, OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    inline_serializer,
)
from rest_framework import serializers

from flowlet.identity.scopes import SCOPES

PROBLEM = "application/problem+json"
BASE_PATH = "/api/v1/"
Handler = TypeVar("Handler", bound=Callable[..., Any])
_WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_EVERY = (400, 401, 403, 404, 405, 429, 500, 503)
_WRITE_ONLY = (409, 411, 413, 415, 422)

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"^[\x21-\x7e]+$"},
    OpenApiParameter.HEADER,
    description=(
        "A random key of yours, the same for every repetition of one request. The first answer is kept for 30 days and "
        "sent again, byte for byte, with `Idempotent-Replayed: true`."
    ),
    examples=[OpenApiExample("a random key", value="b6e1b0d2-2f5e-4c0a-8a57-0d7f1f3b9b11")],
)


class FaultOut(serializers.Serializer[Any]):
    """One fault in a request."""

    pointer = serializers.CharField(help_text="JSON pointer into the body, or `/query/<name>`.")
    code = serializers.CharField()
    detail = serializers.CharField()


class RetryOut(serializers.Serializer[Any]):
    """Whether the request may be sent again."""

    allowed = serializers.BooleanField()
    after_s = serializers.IntegerField(allow_null=True, help_text="Seconds to wait.")
    same_key = serializers.BooleanField(help_text="Whether the Idempotency-Key may be used again.")


class NextOut(serializers.Serializer[Any]):
    """What to do about it."""

    action = serializers.CharField()
    text = serializers.CharField()


class ProblemOut(serializers.Serializer[Any]):
    """A refusal (RFC 9457)."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField(help_text="One sentence for people.")
    instance = serializers.CharField()
    code = serializers.CharField(help_text="Stable, for programs.")
    errors = FaultOut(many=True)  # type: ignore[assignment] # the declared fields leave the class
    retry = RetryOut()
    next = NextOut(many=True)
    request_id = serializers.CharField(help_text="Name it when you write to us.")
    object = serializers.CharField(required=False, help_text="The object that keeps the refusal.")
    available_minor = serializers.IntegerField(
        required=False, help_text="Of too little money: what there is."
    )
    requested_minor = serializers.IntegerField(required=False, help_text="And what was asked for.")
    open_minor = serializers.IntegerField(required=False, help_text="Of a hold: what is still open.")
    posted_minor = serializers.IntegerField(
        required=False, help_text="Of a wallet to be closed: what is booked."
    )
    held_minor = serializers.IntegerField(required=False, help_text="What is held.")
    pending_minor = serializers.IntegerField(required=False, help_text="What is announced.")
    owed_minor = serializers.IntegerField(required=False, help_text="What is owed.")
    limit_minor = serializers.IntegerField(required=False, help_text="Of a limit: how high it is.")
    left_minor = serializers.IntegerField(required=False, help_text="And what would still pass.")


_PROBLEM_EXAMPLE = OpenApiExample(
    "a fault in the body",
    value={
        "type": "urn:flowlet:problem:invalid_request",
        "title": "Invalid request",
        "status": 400,
        "detail": "The request has faults; see errors.",
        "instance": "/api/v1/payments",
        "code": "invalid_request",
        "errors": [
            {
                "pointer": "/amount",
                "code": "not_an_integer",
                "detail": "Give the amount in minor units, as a JSON integer.",
            }
        ],
        "retry": {"allowed": False, "after_s": None, "same_key": False},
        "next": [],
        "request_id": "req_01K8Z5M3W4J7T2R9QX6V0BND1C",
    },
    media_type=PROBLEM,
    status_codes=["400"],
)


def problems(*codes: int) -> dict[Any, Any]:
    """Return the answers that say no, by status."""
    return {
        (code, PROBLEM): OpenApiResponse(ProblemOut, description=HTTPStatus(code).phrase) for code in codes
    }


@cache  # one component for each kind of list, however many routes answer it
def list_of(item: type[serializers.BaseSerializer[Any]]) -> serializers.Serializer[Any]:
    """Return the envelope of a list of these."""
    return inline_serializer(
        name=f"{item.__name__.removesuffix('Out')}List",
        fields={
            "object": serializers.ChoiceField(choices=["list"]),
            "data": item(many=True),
            "has_more": serializers.BooleanField(),
            "next": serializers.CharField(allow_null=True, help_text="The cursor of the next page."),
        },
    )


def document(
    *,
    summary: str,
    answer: Any,
    status: int = 200,
    request: Any = None,
    description: str = "",
    example: Mapping[str, Any] | None = None,
    answer_example: Mapping[str, Any] | None = None,
    parameters: list[Any] | None = None,
    refusals: Mapping[Any, Any] | None = None,
) -> Callable[[Handler], Handler]:
    """
    Describe a handler: one sentence, the body it reads, the answer it gives; refusals are added by themselves.

    `answer` is an output serializer, `list_of(…)`, None, or answers by (status, content type) where they are files; `example` a body that works, `answer_example` what it gives;
    `refusals` replaces the answers that say no, for a route that does not say it with problems.
    """
    examples = [_PROBLEM_EXAMPLE]
    if example is not None:
        examples.append(OpenApiExample("request", value=dict(example), request_only=True))
    if answer_example is not None:
        examples.append(
            OpenApiExample(
                "answer", value=dict(answer_example), response_only=True, status_codes=[str(status)]
            )
        )
    codes = (*_EVERY, *(_WRITE_ONLY if request is not None or status != HTTPStatus.OK else (409, 422)))
    return extend_schema(
        summary=summary,
        description=description,
        request=request,
        responses={
            **(answer if isinstance(answer, Mapping) else {status: answer}),
            **(problems(*codes) if refusals is None else refusals),
        },
        examples=examples,
        parameters=parameters,
    )


class ApiSchema(AutoSchema):
    """Read the rest of an operation from its view: scope, key, list parameters, tag, name."""

    def get_auth(self) -> list[dict[str, Any]]:
        """Return what the method's scope asks for."""
        scope = getattr(self.view, "scopes", {}).get(self.method, "")
        if scope == "anyone":
            return []
        scopes = [scope] if scope in SCOPES else []
        return [{"oauth2": scopes}, {"bearer": []}]

    def get_override_parameters(self) -> list[Any]:
        """Return the query string of lists and the Idempotency-Key of writes."""
        found = list(super().get_override_parameters())
        list_query = getattr(self.view, "list_query", None)
        if self.method == "GET" and list_query is not None:
            found.append(list_query)
        scope = getattr(self.view, "scopes", {}).get(self.method, "")
        if self.method in _WRITES and scope in SCOPES:
            required = self.method in getattr(self.view, "idempotent", ())
            found.append(_with_required(IDEMPOTENCY_KEY, required=required))
        return found

    def get_tags(self) -> list[str]:
        """Group by resource: the first step of the path."""
        return [self.path.removeprefix(BASE_PATH).split("/")[0]]

    def get_operation_id(self) -> str:
        """Name the operation by method and path, such as `post_wallets_wallet_id_freeze`."""
        steps = self.path.removeprefix(BASE_PATH).replace("{", "").replace("}", "")
        return f"{self.method.lower()}_{steps.replace('/', '_').replace('.', '_').replace('-', '_')}"

    def get_serializer_name(self, serializer: serializers.Serializer[Any], direction: Any) -> str:
        """Name a component without our endings: `CustomerOut` is a Customer, `CustomerIn` a CustomerRequest."""
        name = type(serializer).__name__
        if name.endswith("Out"):
            return name.removesuffix("Out")
        if name.endswith("In"):
            return f"{name.removesuffix('In')}Request"
        return str(super().get_serializer_name(serializer, direction))


def _with_required(parameter: OpenApiParameter, *, required: bool) -> OpenApiParameter:
    return OpenApiParameter(
        parameter.name,
        parameter.type,
        parameter.location,
        required=required,
        description=parameter.description,
        examples=parameter.examples,
    )


class StrictSerializerExtension(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """Tell that strict bodies take no other names."""

    target_class = "flowlet.gateway.serializers.StrictSerializer"
    match_subclasses = True

    def map_serializer(self, auto_schema: AutoSchema, direction: Any) -> Any:
        """Return the schema with `additionalProperties: false`."""
        # The documented way for an extension to reach the ordinary result.
        schema = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)  # type: ignore[no-untyped-call]  # noqa: SLF001
        return {**schema, "additionalProperties": False}


class CountFieldExtension(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """Show the bounds of a count."""

    target_class = "flowlet.gateway.fields.CountField"

    def map_serializer_field(self, auto_schema: AutoSchema, direction: Any) -> dict[str, Any]:  # noqa: ARG002
        """Return the schema of this field."""
        return {"type": "integer", "minimum": self.target.minimum, "maximum": self.target.maximum}


class IdFieldExtension(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """Show the prefix of an id."""

    target_class = "flowlet.gateway.fields.IdField"

    def map_serializer_field(self, auto_schema: AutoSchema, direction: Any) -> dict[str, Any]:  # noqa: ARG002
        """Return the schema of this field."""
        return {"type": "string", "pattern": f"^{self.target.prefix}_[0-9A-HJKMNP-TV-Z]{{26}}$"}
