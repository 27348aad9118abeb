"""Support chats in the API."""

from rest_framework.response import Response

from flowlet.assistant import operations, queries
from flowlet.assistant.api import serializers as s
from flowlet.core.clock import now
from flowlet.core.errors import FieldError, NotFound
from flowlet.gateway.openapi_schema import document, list_of
from flowlet.gateway.views import ApiRequest, ApiView
from flowlet.identity.queries import get_customer

_READ, _WRITE = "assistant:read", "assistant:write"
_CHAT = {
    "id": "cht_01K8Z5T2M8V0X3T6RC9HJ4DNWE",
    "object": "chat",
    "customer": "cus_01K8Z5M3W4J7T2R9QX6V0BND1C",
    "created_at": "2026-11-02T09:30:00Z",
    "latest_at": "2026-11-02T09:30:00Z",
}
_ANSWER = {
    "id": "chm_01K8Z5T2M9A5B8E1FG4HJ6KMNP",
    "object": "chat_message",
    "chat": _CHAT["id"],
    "role": "assistant",
    "text": "Your EUR wallet has 12.50 EUR available and is active.",
    "source": "template",
    "hand_over": False,
    "created_at": "2026-11-02T09:30:02Z",
}


class ChatsView(ApiView):
    """The partner's chats."""

    scopes = {"GET": _READ, "POST": _WRITE}
    idempotent = frozenset({"POST"})
    list_query = s.ChatQuery

    @document(summary="List chats", answer=list_of(s.ChatOut))
    def get(self, request: ApiRequest) -> Response:
        """Return one page, newest first."""
        query, rows = self.query(), queries.list_chats(partner_id=request.principal.partner_id)
        if "customer" in query:
            rows = rows.filter(customer__public_id=query["customer"])
        return self.page(request, rows, s.render_chat)

    @document(
        summary="Open a chat",
        request=s.ChatIn,
        answer=s.ChatOut,
        status=201,
        example={"customer": _CHAT["customer"]},
        answer_example=_CHAT,
    )
    def post(self, request: ApiRequest) -> Response:
        """Open a chat about one customer."""
        values = self.validated(s.ChatIn)
        try:
            customer = get_customer(partner_id=request.principal.partner_id, public_id=values["customer"])
        except NotFound:
            fault = FieldError("/customer", "not_found", "There is no such customer.")
            raise NotFound(errors=(fault,)) from None
        chat = operations.open_chat(customer_id=customer.pk, now=now())
        where = {"Location": f"/api/v1/assistant/chats/{chat.public_id}"}
        return Response(s.render_chat(chat), status=201, headers=where)


class ChatView(ApiView):
    """One chat."""

    scopes = {"GET": _READ}

    @document(summary="Show a chat", answer=s.ChatOut, answer_example=_CHAT)
    def get(self, request: ApiRequest, chat_id: str) -> Response:
        """Return the chat."""
        chat = queries.get_chat(partner_id=request.principal.partner_id, public_id=chat_id)
        return Response(s.render_chat(chat))


class MessagesView(ApiView):
    """What is said in a chat."""

    scopes = {"GET": _READ, "POST": _WRITE}
    idempotent = frozenset({"POST"})
    list_query = s.MessageQuery
    costs = {"POST": 5}
    transactional = False  # it waits for a model

    @document(summary="List the messages of a chat", answer=list_of(s.MessageOut))
    def get(self, request: ApiRequest, chat_id: str) -> Response:
        """Return one page, newest first."""
        chat = queries.get_chat(partner_id=request.principal.partner_id, public_id=chat_id)
        rows = queries.list_messages(chat_id=chat.pk)
        return self.page(request, rows, lambda message: s.render_message(message, chat))

    @document(
        summary="Ask",
        description=(
            "Answers with the assistant's message, within half a minute at worst. It reads the chat's customer's balances, "
            "latest payments and cards, and does nothing: no money moves by it. Names, addresses, numbers and everything "
            "else that could name somebody is taken out before a model sees the question, and put back into its answer. "
            "Without a model the answer comes from a template."
        ),
        request=s.MessageIn,
        answer=s.MessageOut,
        status=201,
        example={"text": "How much do I have?"},
        answer_example=_ANSWER,
    )
    def post(self, request: ApiRequest, chat_id: str) -> Response:
        """Ask, and return the answer."""
        values = self.validated(s.MessageIn)
        chat = queries.get_chat(partner_id=request.principal.partner_id, public_id=chat_id)
        answer = operations.ask(
            chat_id=chat.pk,
            text=values["text"],
            idempotency_key=request.idempotency_key or None,
            now=now(),
        )
        return Response(s.render_message(answer, chat), status=201)
