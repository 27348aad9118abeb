"""Banks that customers let the house reach: begin, finish, look, give back."""

from typing import Any

from rest_framework import serializers
from rest_framework.response import Response

from flowlet.core.clock import now
from flowlet.gateway.fields import IdField, TextField, WordField
from flowlet.gateway.openapi_schema import document, list_of
from flowlet.gateway.serializers import ListQuery, StrictSerializer
from flowlet.gateway.views import ApiRequest, ApiView
from flowlet.identity.queries import get_customer
from flowlet.integrations import links
from flowlet.integrations.choices import LinkStatus, OwnerMatch
from flowlet.integrations.models import BankLink, LinkedAccount

_READ, _WRITE = "bank_accounts:read", "bank_accounts:write"


class LinkIn(StrictSerializer):
    """What the customer will see."""

    language = WordField(codes=("EN", "DE", "ES", "FR"), required=False, help_text="Of the bank's page.")


class LinkTokenOut(serializers.Serializer[Any]):
    """What opens the page on which the customer picks a bank."""

    object = serializers.ChoiceField(choices=["link_token"])
    link_token = serializers.CharField(help_text="For Plaid Link in your app.")
    url = serializers.CharField(allow_null=True, help_text="A ready-made page, in the sandbox.")
    expires_at = serializers.DateTimeField()


class ExchangeIn(StrictSerializer):
    """What the page handed over."""

    public_token = TextField(max_length=255, help_text="Works once.")


class LinkedAccountOut(serializers.Serializer[Any]):
    """An account at a linked bank."""

    id = serializers.CharField(help_text="Give it to `/top_ups` as `bank_account`.")
    object = serializers.ChoiceField(choices=["linked_account"])
    name = serializers.CharField()
    mask = serializers.CharField(help_text="The last digits.")
    kind = serializers.CharField()
    currency = serializers.CharField(allow_null=True)
    owner_match = serializers.ChoiceField(choices=[code.lower() for code in OwnerMatch.values])
    usable = serializers.BooleanField(help_text="Whether money can be drawn from it.")


class BankLinkOut(serializers.Serializer[Any]):
    """A bank that a customer linked."""

    id = serializers.CharField()
    object = serializers.ChoiceField(choices=["bank_link"])
    customer = serializers.CharField()
    institution = serializers.CharField(allow_null=True)
    status = serializers.ChoiceField(choices=[code.lower() for code in LinkStatus.values])
    accounts = LinkedAccountOut(many=True)
    created_at = serializers.DateTimeField()
    removed_at = serializers.DateTimeField(allow_null=True)


class BankLinkQuery(ListQuery):
    """Filters of the list of links."""

    customer = IdField(prefix="cus", required=False)


def render(link: BankLink) -> dict[str, Any]:
    """Return a link with its accounts."""
    accounts = sorted(link.accounts.all(), key=lambda account: account.pk)
    return {
        "id": link.public_id,
        "object": "bank_link",
        "customer": link.customer.public_id,
        "institution": link.institution or None,
        "status": link.status.lower(),
        "accounts": [_render_account(account, link) for account in accounts],
        "created_at": link.created_at,
        "removed_at": link.removed_at,
    }


def _render_account(account: LinkedAccount, link: BankLink) -> dict[str, Any]:
    account.link = link
    return {
        "id": account.public_id,
        "object": "linked_account",
        "name": account.name,
        "mask": account.mask,
        "kind": account.subtype,
        "currency": account.currency or None,
        "owner_match": account.owner_match.lower(),
        "usable": account.usable,
    }


_LINK = {
    "id": "blk_01K8Z5T2M8V0X3T6RC9HJ4DNWE",
    "object": "bank_link",
    "customer": "cus_01K8Z5M3W4J7T2R9QX6V0BND1C",
    "institution": "First Platypus Bank",
    "status": "active",
    "accounts": [
        {
            "id": "lac_01K8Z5T2M9A5B8E1FG4HJ6KMNP",
            "object": "linked_account",
            "name": "Plaid Checking Standard",
            "mask": "4021",
            "kind": "checking",
            "currency": "USD",
            "owner_match": "match",
            "usable": True,
        }
    ],
    "created_at": "2026-11-02T09:30:00Z",
    "removed_at": None,
}


class CustomerLinksView(ApiView):
    """Beginning a link."""

    scopes = {"POST": _WRITE}
    transactional = False  # it waits for Plaid

    @document(
        summary="Begin to link a bank",
        description="The customer picks a bank on the page that the token opens; what the page returns goes to `exchange`.",
        request=LinkIn,
        answer=LinkTokenOut,
        status=201,
        example={"language": "en"},
    )
    def post(self, request: ApiRequest, customer_id: str) -> Response:
        """Return a fresh link token."""
        values = self.validated(LinkIn)
        customer = get_customer(partner_id=request.principal.partner_id, public_id=customer_id)
        token = links.begin_link(customer_id=customer.pk, language=values.get("language", "EN").lower())
        answer = {
            "object": "link_token",
            "link_token": token.token,
            "url": token.url or None,
            "expires_at": token.expires_at,
        }
        return Response(answer, status=201)


class ExchangeView(ApiView):
    """Finishing a link."""

    scopes = {"POST": _WRITE}
    transactional = False  # it waits for Plaid

    @document(
        summary="Finish linking a bank",
        description=(
            "Answers with the bank's accounts. The name of each account's owner is compared with your customer's; money can "
            "be drawn only where they match. The same token again gives the same link."
        ),
        request=ExchangeIn,
        answer=BankLinkOut,
        status=201,
        example={"public_token": "public-sandbox-…"},
        answer_example=_LINK,
    )
    def post(self, request: ApiRequest, customer_id: str) -> Response:
        """Exchange the public token."""
        values = self.validated(ExchangeIn)
        customer = get_customer(partner_id=request.principal.partner_id, public_id=customer_id)
        link = links.finish_link(customer_id=customer.pk, public_token=values["public_token"], now=now())
        where = {"Location": f"/api/v1/bank_links/{link.public_id}"}
        return Response(render(link), status=201, headers=where)


class BankLinksView(ApiView):
    """The partner's links."""

    scopes = {"GET": _READ}
    list_query = BankLinkQuery
    costs = {"GET": 2}

    @document(summary="List bank links", answer=list_of(BankLinkOut))
    def get(self, request: ApiRequest) -> Response:
        """Return one page, newest first."""
        query, rows = self.query(), links.list_links(partner_id=request.principal.partner_id)
        if "customer" in query:
            rows = rows.filter(customer__public_id=query["customer"])
        return self.page(request, rows, render)


class BankLinkView(ApiView):
    """One link."""

    scopes = {"GET": _READ}

    @document(summary="Show a bank link", answer=BankLinkOut, answer_example=_LINK)
    def get(self, request: ApiRequest, link_id: str) -> Response:
        """Return the link."""
        return Response(render(links.get_link(partner_id=request.principal.partner_id, public_id=link_id)))


class RemoveLinkView(ApiView):
    """Giving a link back."""

    scopes = {"POST": _WRITE}
    transactional = False  # it waits for Plaid

    @document(
        summary="Unlink a bank",
        description="From now on nothing can be drawn from it; transfers that are on their way go on.",
        answer=BankLinkOut,
        answer_example={**_LINK, "status": "removed", "removed_at": "2026-11-02T09:45:00Z"},
    )
    def post(self, request: ApiRequest, link_id: str) -> Response:
        """Unlink."""
        link = links.remove_link(partner_id=request.principal.partner_id, public_id=link_id, now=now())
        return Response(render(link))
