"""The one way through the gateway: `ApiView`, the base class of every API view of the house."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, ClassVar, TypeVar, cast

from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from flowlet.audit import trail
from flowlet.core.again import in_transaction
from flowlet.core.clock import now
from flowlet.core.errors import AppError, FieldError, InvalidInput, InvariantBroken
from flowlet.gateway import authentication, idempotency, limits, openapi_schema, pagination, parsing, problems
from flowlet.gateway.addresses import client_ip
from flowlet.gateway.errors import IdempotencyKeyMissing, MethodNotAllowed, MissingScope
from flowlet.gateway.models import IdempotencyRecord
from flowlet.gateway.passage import passage_of
from flowlet.gateway.principals import Principal
from flowlet.gateway.rendering import Answer, as_answer
from flowlet.gateway.serializers import ListQuery

Row = TypeVar("Row", bound=models.Model)
# What a method may name instead of a scope.
ANYONE = "anyone"  # no token at all; such a route carries limits of its own
SIGNED_IN = "signed_in"  # any valid token
_READS = frozenset({"GET", "HEAD"})


class ApiRequest(Request):
    """What a view is handed; `data` is the strictly read body."""

    @property
    def principal(self) -> Principal:
        """Return who calls."""
        principal = passage_of(self._request).principal
        if principal is None:
            raise InvariantBroken("a route without token asked for its principal")
        return principal

    @property
    def request_id(self) -> str:
        """Return the id of this request (`req_…`)."""
        return passage_of(self._request).request_id

    @property
    def idempotency_key(self) -> str:
        """Return the key that came with the request, or ''."""
        return str(self._request.META.get("HTTP_IDEMPOTENCY_KEY", ""))

    def set_body(self, data: Any) -> None:
        """Hand over the body that was read, so that it is read in one way only."""
        self._full_data = self._data = data


class ApiView(APIView):
    """
    One address of the API. A handler (`get`, `post`, …) makes one operation or query and returns a DRF `Response`.

    `scopes` names for each method the scope it needs, or ANYONE, or SIGNED_IN: a route without is refused at start.
    `idempotent` are the methods that need an Idempotency-Key; other writes use one if it comes.
    `list_query` is the query serializer of GET where GET is a list. `costs` weighs methods for the rate limit.
    A write runs in one transaction with its idempotency record. Raise an `AppError` to say no; return
    `self.refusal(error, object_id=…)` to say no and keep what was written. `transactional = False` leaves transactions
    to the handler: for routes without token that hash passwords or must keep what they wrote when they say no, and for
    those that wait for a vendor, which may hold no transaction open. Their operations must be safe to run twice.
    """

    scopes: ClassVar[Mapping[str, str]] = {}
    idempotent: ClassVar[frozenset[str]] = frozenset()
    list_query: ClassVar[type[ListQuery] | None] = None
    costs: ClassVar[Mapping[str, int]] = {}
    order: ClassVar[tuple[str, ...]] = pagination.NEWEST_FIRST
    transactional: ClassVar[bool] = True

    schema = openapi_schema.ApiSchema()
    authentication_classes = ()
    request: ApiRequest

    # --- the order of passage ---------------------------------------------------------------------------------------

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Pass one request through every step; whatever refuses becomes a problem."""
        self.args, self.kwargs = args, kwargs
        self.request = ApiRequest(request)
        try:
            with trail.acting(_NOBODY, request_id=passage_of(request).request_id, ip=client_ip(request)):
                return self._pass(self.request)
        except Exception as error:
            refusal = problems.as_app_error(error)
            if refusal is None:
                raise
            return self.problem(refusal)

    def problem(self, error: AppError) -> HttpResponse:
        """Return the answer to a refusal; the token endpoint has a form of its own."""
        return problems.problem_response(error, self.request._request)  # noqa: SLF001 - DRF's documented escape

    def _pass(self, request: ApiRequest) -> HttpResponse:
        http, method = request._request, str(request.method)  # noqa: SLF001 - DRF's documented escape
        handler = self._handler(method)
        scope = self.scopes["GET" if method == "HEAD" else method]
        if scope == ANYONE:
            self.admit_anyone(request)
        else:
            self._admit(request, scope)
        if method in _READS:
            return as_answer(handler(request, *self.args, **self.kwargs)).response()
        request.set_body(self.read_body(http))
        return self._write(request, handler)

    def _handler(self, method: str) -> Callable[..., Response | Answer]:
        handler = getattr(self, method.lower(), None) if method in self._methods() else None
        if handler is None:
            raise MethodNotAllowed(allowed=", ".join(self._methods()))
        return cast("Callable[..., Response | Answer]", handler)

    def _methods(self) -> list[str]:
        return sorted({*self.scopes, "HEAD"} if "GET" in self.scopes else self.scopes)

    def _admit(self, request: ApiRequest, scope: str) -> None:
        http, passage = request._request, passage_of(request._request)  # noqa: SLF001 - DRF's documented escape
        principal = passage.principal = authentication.authenticate(http, now=now())
        trail.set_actor(principal.actor, partner_id=principal.partner_id)
        allowed = scope == SIGNED_IN or scope in principal.scopes
        passage.headers.update(limits.admit(self._buckets(principal, str(request.method))))
        if not allowed:
            _record_refusal(request, reason_code="missing_scope")
            raise MissingScope(scope=scope)

    def _buckets(self, principal: Principal, method: str) -> list[limits.Bucket]:
        owner, subject, cost = principal.partner_public_id, principal.subject, self.costs.get(method, 1)
        buckets = [limits.bucket("client", owner=owner, subject=subject, cost=cost)]
        if method not in _READS:
            buckets.append(limits.bucket("writes", owner=owner, subject=subject, cost=cost))
        return buckets

    def admit_anyone(self, request: ApiRequest) -> None:
        """
        Count a request that needs no token by its address; routes that guess-proof secrets override this.

        :raises RateLimited: if the address asked too often
        """
        ip = client_ip(request._request) or "unknown"  # noqa: SLF001 - DRF's documented escape
        limits.admit([limits.bucket("anyone", owner=ip, subject=ip)])

    def read_body(self, request: HttpRequest) -> Any:
        """Read the body: JSON here, a form at the token endpoint."""
        return parsing.read_json(request)

    def _write(self, request: ApiRequest, handler: Callable[..., Response | Answer]) -> HttpResponse:
        http = request._request  # noqa: SLF001 - DRF's documented escape
        key = idempotency.read_key(http)
        if key is None and request.method in self.idempotent:
            raise IdempotencyKeyMissing

        def act() -> Answer:
            return as_answer(handler(request, *self.args, **self.kwargs))

        passage = passage_of(http)
        if passage.principal is None and not self.transactional:
            return self._finish(act())
        if key is None or passage.principal is None:
            return self._finish(self._act_once(act) if self.transactional else self._act_freely(act))
        claim = idempotency.Claim(
            partner_id=passage.principal.partner_id,
            operation=f"{request.method} /{_route(http)}",
            key=key,
            fingerprint=idempotency.fingerprint(http, request.data),
            request_id=passage.request_id,
            now=now(),
        )
        answer_once = idempotency.answer_once if self.transactional else idempotency.answer_outside
        answer, passage.replayed = answer_once(claim, act, self._decided)
        return self._finish(answer)

    def _act_freely(self, act: Callable[[], Answer]) -> Answer:
        try:
            return act()
        except AppError as refusal:
            if refusal.http_status != idempotency.UNPROCESSABLE:
                raise
            return self._decided(refusal)

    def _act_once(self, act: Callable[[], Answer]) -> Answer:
        try:
            return in_transaction(act)
        except AppError as refusal:
            if refusal.http_status != idempotency.UNPROCESSABLE:
                raise
            decided = refusal
        return self._decided(decided)

    def _decided(self, error: AppError) -> Answer:
        """Render a no of the domain and leave its trace in the audit trail; both in one transaction."""
        _record_refusal(self.request, reason_code=error.code)
        return problems.problem_answer(error, self.request._request)  # noqa: SLF001 - DRF's documented escape

    def _finish(self, answer: Answer) -> HttpResponse:
        passage = passage_of(self.request._request)  # noqa: SLF001 - DRF's documented escape
        passage.code, passage.object_id = answer.code, answer.object_id
        if passage.replayed:
            answer = replace(answer, headers={**answer.headers, "Idempotent-Replayed": "true"})
        return answer.response()

    # --- what handlers use ------------------------------------------------------------------------------------------

    def validated(self, serializer: type[Serializer[Any]]) -> dict[str, Any]:
        """
        Return the checked values of the body.

        :raises ValidationError: which becomes a 400 with a pointer for each fault
        """
        if not isinstance(self.request.data, dict):
            raise InvalidInput(errors=(FieldError("", "invalid", "The body must be a JSON object."),))
        checked = serializer(data=self.request.data)
        checked.is_valid(raise_exception=True)
        return cast("dict[str, Any]", checked.validated_data)

    def query(self, serializer: type[Serializer[Any]] | None = None) -> dict[str, Any]:
        """
        Return the checked values of the query string; without an argument those of `list_query`.

        :raises InvalidInput: with pointers `/query/<name>`
        """
        wanted = serializer or self.list_query
        if wanted is None:
            raise InvariantBroken(f"{type(self).__name__} asks for a query string but names no serializer")
        checked = wanted(data=parsing.read_query(self.request._request))  # noqa: SLF001 - DRF's documented escape
        if not checked.is_valid():
            raise InvalidInput(errors=problems.field_errors(checked.errors, "/query"))
        return cast("dict[str, Any]", checked.validated_data)

    def page(
        self,
        request: ApiRequest,
        rows: QuerySet[Row],
        render: Callable[[Row], Mapping[str, Any]],
        *,
        order: tuple[str, ...] | None = None,
    ) -> Response:
        """
        Return one page of a queryset that is already narrowed to the principal and to your own filters.

        `order` (default: the class's) are fields all descending or all ascending, together unique and never null.
        `created[…]` filters act on its first field when that is an instant, `idempotency_key` on `public_id`.

        :raises InvalidInput: for a bad cursor, limit or filter
        """
        order, query = order or self.order, self.query()
        rows = self._narrowed(request, rows, query, order[0].removeprefix("-"))
        filters = sorted((k, str(v)) for k, v in query.items() if k not in {"limit", "cursor"})
        paging = pagination.Paging(
            order=order,
            limit=query["limit"],
            cursor=query.get("cursor"),
            scope=f"{request.principal.partner_id}|{request.path}|{filters}",
        )
        return Response(pagination.cut(rows, paging, render))

    def _narrowed(
        self, request: ApiRequest, rows: QuerySet[Row], query: Mapping[str, Any], instant: str
    ) -> QuerySet[Row]:
        for name, comparison in (("created[gte]", "gte"), ("created[lt]", "lt")):
            if name in query:
                _only_for_instants(rows, instant, name)
                rows = rows.filter(**{f"{instant}__{comparison}": query[name]})
        if "idempotency_key" in query:
            made = IdempotencyRecord.objects.filter(
                partner_id=request.principal.partner_id, key=query["idempotency_key"]
            ).exclude(object_id="")
            rows = rows.filter(public_id__in=list(made.values_list("object_id", flat=True)))
        return rows

    def refusal(self, error: AppError, *, object_id: str = "") -> Answer:
        """Return a no whose transaction is kept, for instance a payment stored as REFUSED; `object_id` is its public id."""
        return problems.problem_answer(error, self.request._request, object_id=object_id)  # noqa: SLF001 - DRF's escape


_NOBODY = trail.Actor("SYSTEM", "api:anonymous")


def _route(request: HttpRequest) -> str:
    match = request.resolver_match
    return match.route if match else request.path.lstrip("/")


def _only_for_instants(rows: QuerySet[Any], field: str, name: str) -> None:
    if not isinstance(rows.model._meta.get_field(field), models.DateTimeField):  # noqa: SLF001 - Django's model API
        detail = "This list cannot be filtered by time."
        raise InvalidInput(errors=(FieldError(f"/query/{name}", "unknown_field", detail),))


def _record_refusal(request: ApiRequest, *, reason_code: str) -> None:
    trail.record(
        action="request.refuse",
        object_type="request",
        object_id=request.request_id,
        outcome="REFUSED",
        reason_code=reason_code,
    )
