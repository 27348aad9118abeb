"""Plaid as the house uses it: link a bank, read accounts and numbers, move dollars. The real SDK does the talking."""

import json
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, TypeVar

import plaid
import urllib3
from django.conf import settings
from plaid.api.plaid_api import PlaidApi
from plaid.model.accounts_balance_get_request import AccountsBalanceGetRequest
from plaid.model.accounts_get_request import AccountsGetRequest
from plaid.model.auth_get_request import AuthGetRequest
from plaid.model.country_code import CountryCode
from plaid.model.identity_match_request import IdentityMatchRequest
from plaid.model.identity_match_user import IdentityMatchUser
from plaid.model.item_get_request import ItemGetRequest
from plaid.model.item_public_token_exchange_request import ItemPublicTokenExchangeRequest
from plaid.model.item_remove_request import ItemRemoveRequest
from plaid.model.link_token_create_hosted_link import LinkTokenCreateHostedLink
from plaid.model.link_token_create_request import LinkTokenCreateRequest
from plaid.model.link_token_create_request_user import LinkTokenCreateRequestUser
from plaid.model.products import Products
from plaid.model.sandbox_public_token_create_request import SandboxPublicTokenCreateRequest
from plaid.model.sandbox_public_token_create_request_options import SandboxPublicTokenCreateRequestOptions
from plaid.model.webhook_verification_key_get_request import WebhookVerificationKeyGetRequest

from flowlet.core.errors import InvariantBroken
from flowlet.core.outcomes import Answer, Outcome
from flowlet.integrations.calls import perform
from flowlet.integrations.plaid.outcomes import explain
from flowlet.integrations.plaid.shapes import (
    BankAccount,
    Item,
    LinkToken,
    Numbers,
    read_account,
    read_numbers,
)
from flowlet.integrations.vendors import get_vendor, public_url

HOOK_PATH = "/hooks/plaid/"

Value = TypeVar("Value")


def create_link_token(
    *, user_reference: str, countries: Sequence[str], language: str, products: Sequence[str] = ("auth",)
) -> Answer[LinkToken]:
    """
    Return a token for the page on which a person picks his bank.

    `user_reference` is the customer's public id, never a name or address; countries are ISO codes, language two letters.
    In the sandbox the answer also holds the address of a page that needs no script of ours.
    """
    hosted = {} if settings.FLOWLET_MODE == "live" else {"hosted_link": LinkTokenCreateHostedLink()}
    request = LinkTokenCreateRequest(
        client_name="Flowlet",
        language=language,
        country_codes=[CountryCode(code) for code in countries],
        products=[Products(name) for name in products],
        user=LinkTokenCreateRequestUser(client_user_id=user_reference),
        webhook=public_url(HOOK_PATH),
        **hosted,
    )

    def read(data: dict[str, Any]) -> Answer[LinkToken]:
        token = LinkToken(data["link_token"], data["expiration"], str(data.get("hosted_link_url") or ""))
        return Answer(Outcome.DONE, value=token)

    return call("link_token.create", user_reference, "link_token_create", request, read)


def create_sandbox_public_token(
    *, institution: str, products: Sequence[str] = ("auth",), owner: str = ""
) -> Answer[str]:
    """
    Link a bank without a person, for the sandbox and the demo; `owner` is whose accounts they are.

    :raises InvariantBroken: in live mode
    """
    if settings.FLOWLET_MODE == "live":
        raise InvariantBroken("public tokens come from people in live mode")
    request = SandboxPublicTokenCreateRequest(
        institution_id=institution,
        initial_products=[Products(name) for name in products],
        **({"options": _custom_user(owner)} if owner else {}),
    )
    return call(
        "sandbox_public_token.create",
        institution,
        "sandbox_public_token_create",
        request,
        lambda data: Answer(Outcome.DONE, value=str(data["public_token"])),
    )


def _custom_user(owner: str) -> SandboxPublicTokenCreateRequestOptions:
    # Plaid's way to have accounts of one's own in its sandbox: the password is a description of them.
    described = {"override_accounts": [{"identity": {"names": [owner]}}]}
    return SandboxPublicTokenCreateRequestOptions(
        override_username="user_custom", override_password=json.dumps(described)
    )


def exchange_public_token(*, public_token: str, our_reference: str) -> Answer[Item]:
    """Turn what the page gave into access; the access token is a secret: keep it encrypted. A public token works once."""

    def read(data: dict[str, Any]) -> Answer[Item]:
        return Answer(Outcome.DONE, data["item_id"], value=Item(data["item_id"], data["access_token"]))

    request = ItemPublicTokenExchangeRequest(public_token=public_token)
    return call("public_token.exchange", our_reference, "item_public_token_exchange", request, read)


def get_institution(*, access_token: str, our_reference: str = "") -> Answer[str]:
    """Return the name of the linked bank, '' if Plaid does not say."""
    request = ItemGetRequest(access_token=access_token)

    def read(data: dict[str, Any]) -> Answer[str]:
        return Answer(Outcome.DONE, value=str(data["item"].get("institution_name") or ""))

    return call("item.get", our_reference, "item_get", request, read, is_lookup=True)


def remove_item(*, access_token: str, our_reference: str) -> Answer[None]:
    """Give access back: the token is worthless afterwards."""
    request = ItemRemoveRequest(access_token=access_token)
    return call("item.remove", our_reference, "item_remove", request, lambda _: Answer(Outcome.DONE))


def get_accounts(*, access_token: str, our_reference: str = "") -> Answer[tuple[BankAccount, ...]]:
    """Return the accounts of a link; the balances may be some hours old."""
    request = AccountsGetRequest(access_token=access_token)
    return call("accounts.get", our_reference, "accounts_get", request, _read_accounts, is_lookup=True)


def get_balances(*, access_token: str, our_reference: str = "") -> Answer[tuple[BankAccount, ...]]:
    """Return the accounts with balances fetched now."""
    request = AccountsBalanceGetRequest(access_token=access_token)
    return call("balance.get", our_reference, "accounts_balance_get", request, _read_accounts, is_lookup=True)


def get_numbers(*, access_token: str, our_reference: str = "") -> Answer[tuple[Numbers, ...]]:
    """Return the numbers that money can be sent to or drawn from."""
    request = AuthGetRequest(access_token=access_token)

    def read(data: dict[str, Any]) -> Answer[tuple[Numbers, ...]]:
        return Answer(Outcome.DONE, value=read_numbers(data["numbers"]))

    return call("auth.get", our_reference, "auth_get", request, read, is_lookup=True)


def match_identity(*, access_token: str, legal_name: str, our_reference: str = "") -> Answer[dict[str, int]]:
    """Return by account id how well a name fits the owner's, 0 to 100; 70 and more is a match in Plaid's words."""
    request = IdentityMatchRequest(access_token=access_token, user=IdentityMatchUser(legal_name=legal_name))

    def read(data: dict[str, Any]) -> Answer[dict[str, int]]:
        scores = {
            one["account_id"]: int((one.get("legal_name") or {}).get("score") or 0)
            for one in data["accounts"]
        }
        return Answer(Outcome.DONE, value=scores)

    return call("identity.match", our_reference, "identity_match", request, read, is_lookup=True)


def get_webhook_key(*, kid: str) -> Answer[dict[str, Any]]:
    """Return a public key of Plaid's as a JWK; UNKNOWN with `invalid_webhook_verification_key_id` if it has none."""
    request = WebhookVerificationKeyGetRequest(key_id=kid)
    return call(
        "webhook_verification_key.get",
        "",
        "webhook_verification_key_get",
        request,
        lambda data: Answer(Outcome.DONE, value=dict(data["key"])),
        is_lookup=True,
    )


def call(
    operation: str,
    our_reference: str,
    method: str,
    request: Any,
    read: Callable[[dict[str, Any]], Answer[Value]],
    *,
    is_lookup: bool = False,
) -> Answer[Value]:
    """Call one method of the SDK and read its answer, with Plaid's request id in ours."""
    vendor = get_vendor("plaid")

    def send() -> Answer[Value]:
        # Without a time-out at each call the SDK waits for ever.
        limits = (vendor.connect_timeout_s, vendor.read_timeout_s)
        api = _api(vendor.account, vendor.key, vendor.base_url)
        data = getattr(api, method)(request, _request_timeout=limits).to_dict()
        answer = read(data)
        return Answer(
            answer.outcome, answer.reference, answer.code, answer.value, str(data.get("request_id") or "")
        )

    return perform(
        vendor="plaid",
        operation=operation,
        our_reference=our_reference,
        send=send,
        explain=_explain_lookup if is_lookup else explain,
        is_lookup=is_lookup,
    )


@lru_cache(maxsize=4)
def _api(account: str, key: str, base_url: str) -> PlaidApi:
    configuration = plaid.Configuration(
        host=base_url or plaid.Environment.Production, api_key={"clientId": account, "secret": key}
    )
    # The SDK hands this to urllib3, whose own default would connect three times.
    configuration.retries = urllib3.Retry(0, redirect=0)
    return PlaidApi(plaid.ApiClient(configuration))


def _explain_lookup(error: Exception) -> Answer[Any]:
    answer = explain(error)
    if answer.outcome is Outcome.REFUSED:
        return Answer(Outcome.UNKNOWN, code=answer.code, request_id=answer.request_id)
    return answer


def _read_accounts(data: dict[str, Any]) -> Answer[tuple[BankAccount, ...]]:
    return Answer(Outcome.DONE, value=tuple(read_account(one) for one in data["accounts"]))
