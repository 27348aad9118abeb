"""A Plaid that can be asked to misbehave: link, accounts, numbers, transfers, rotating ES256 keys."""

import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import ClassVar

from flowlet.integrations.plaid import banks, hosted
from flowlet.integrations.plaid.ground import PlaidGround
from flowlet.integrations.simulation.protocol import Call, Delivery, Json, Reply

_LINK_LIFE_S = 4 * 3600
# Days in life, seconds here: long enough to be seen waiting, short enough for a first try of the sandbox.
_STEPS_S = {"posted": 2.0, "settled": 4.0, "funds_available": 6.0}
_FINAL = ("failed", "cancelled", "returned")
# What the sandbox may be told to let happen next. Source: Plaid's documentation of /sandbox/transfer/simulate.
_NEXT = {
    "pending": ("posted", "failed"),
    "posted": ("settled", "returned"),
    "settled": ("funds_available", "returned"),
    "funds_available": ("returned",),
}
_AMOUNT = re.compile(r"[0-9]{1,9}\.[0-9]{2}")


class PlaidSimulator(PlaidGround):
    """Items with accounts, and transfers in dollars."""

    routes: ClassVar = {
        "POST /link/token/create": "create_link_token",
        "POST /sandbox/public_token/create": "create_public_token",
        "POST /item/public_token/exchange": "exchange",
        "POST /item/get": "get_item",
        "POST /item/remove": "remove_item",
        "POST /accounts/get": "get_accounts",
        "POST /accounts/balance/get": "get_accounts",
        "POST /auth/get": "get_numbers",
        "POST /identity/match": "match_identity",
        "POST /transfer/authorization/create": "authorize",
        "POST /transfer/create": "create_transfer",
        "POST /transfer/get": "get_transfer",
        "POST /transfer/list": "list_transfers",
        "POST /transfer/cancel": "cancel_transfer",
        "POST /transfer/event/sync": "sync_events",
        "POST /sandbox/transfer/simulate": "simulate",
        "POST /webhook_verification_key/get": "get_key",
        "GET /hosted/{link}": "show_page",
        "POST /hosted/{link}": "pick_bank",
    }

    def reset(self) -> None:
        """Forget everything."""
        super().reset()
        self.links: dict[str, float] = {}
        self.public_tokens: dict[str, str] = {}
        self.authorizations: dict[str, Json] = {}
        self.authorization_keys: dict[str, str] = {}
        self.transfers: dict[str, Json] = {}
        self.events: list[Json] = []

    def books(self) -> Json:
        """Return items without their tokens, transfers and their events."""
        return {"items": self.items, "transfers": self.transfers, "events": self.events}

    # --- linking --------------------------------------------------------------------------------------------------

    def create_link_token(self, call: Call) -> Reply:
        """Return a token for the page on which a person picks his bank."""
        body = call.json()
        if not body.get("user", {}).get("client_user_id") and not body.get("user_id"):
            raise self._refusal("MISSING_FIELDS", "user.client_user_id")
        token = self.world.new_id("link", "link-sandbox-")
        expires = self.world.now() + _LINK_LIFE_S
        self.links[token] = expires
        reply = {"link_token": token, "expiration": _iso(expires)}
        if "hosted_link" in body:
            reply["hosted_link_url"] = f"http://{call.headers.get('host', '127.0.0.1')}/hosted/{token}"
        return self._reply(reply)

    def show_page(self, call: Call, link: str) -> Reply:
        """Show the page on which a person picks his bank."""
        del call
        if self.links.get(link, 0) < self.world.now():
            return hosted.gone()
        return hosted.choose(link)

    def pick_bank(self, call: Call, link: str) -> Reply:
        """Link the bank that was picked and show the public token."""
        picked = call.form()
        if self.links.get(link, 0) < self.world.now() or picked.get("institution") not in banks.BANKS:
            return hosted.gone()
        return hosted.linked(self._link(picked["institution"], [], picked.get("owner") or banks.OWNER, None))

    def create_public_token(self, call: Call) -> Reply:
        """Link a bank without a person, as Plaid's sandbox does."""
        body = call.json()
        if body.get("institution_id", "") not in banks.BANKS:
            raise self._refusal("INVALID_INSTITUTION", "institution_id")
        options = body.get("options", {})
        owner = _owner(options)
        products = body.get("initial_products", [])
        token = self._link(body["institution_id"], products, owner, options.get("webhook"))
        return self._reply({"public_token": token})

    def _link(self, institution: str, products: list[str], owner: str, webhook: str | None) -> str:
        item_id = self.world.new_id("item", "")
        self.items[item_id] = {
            "item_id": item_id,
            "institution_id": institution,
            "webhook": webhook or self.hook_url or None,
            "products": products,
            "accounts": banks.accounts_of(banks.BANKS[institution], item_id, self.world, owner),
        }
        token = self.world.new_id("public", "public-sandbox-")
        self.public_tokens[token] = item_id
        return token

    def exchange(self, call: Call) -> Reply:
        """Turn a public token into an access token, once."""
        item_id = self.public_tokens.pop(call.json().get("public_token", ""), None)
        if item_id is None:
            raise self._refusal("INVALID_PUBLIC_TOKEN", "public_token")
        token = self.world.new_id("access", "access-sandbox-")
        self.tokens[token] = item_id
        return self._reply({"access_token": token, "item_id": item_id})

    def get_item(self, call: Call) -> Reply:
        """Return the item of an access token."""
        return self._reply({"item": _shown_item(self._item(call)), "status": None})

    def remove_item(self, call: Call) -> Reply:
        """Make an access token worthless."""
        self._item(call)
        del self.tokens[call.json()["access_token"]]
        return self._reply({})

    def get_accounts(self, call: Call) -> Reply:
        """Return accounts with their balances."""
        item = self._item(call)
        return self._reply({"accounts": self._accounts(call, item), "item": _shown_item(item)})

    def get_numbers(self, call: Call) -> Reply:
        """Return the numbers that money can be sent to."""
        item = self._item(call)
        numbers: Json = {"ach": [], "eft": [], "international": [], "bacs": []}
        for account in item["accounts"]:
            numbers[account["numbers_kind"]].append(
                {"account_id": account["account_id"], **account["numbers"]}
            )
        accounts = self._accounts(call, item)
        return self._reply({"accounts": accounts, "numbers": numbers, "item": _shown_item(item)})

    def match_identity(self, call: Call) -> Reply:
        """Say how well a name fits the account's owner, 0 to 100."""
        item = self._item(call)
        given = (call.json().get("user") or {}).get("legal_name") or ""
        accounts = [
            {**account, **banks.match(given, known["owner"])}
            for account, known in zip(self._accounts(call, item), item["accounts"], strict=False)
        ]
        return self._reply({"accounts": accounts, "item": _shown_item(item)})

    # --- transfers ------------------------------------------------------------------------------------------------

    def authorize(self, call: Call) -> Reply:
        """Say whether a transfer may be made; the same idempotency key gives the same answer."""
        body = call.json()
        key = body.get("idempotency_key")
        if key in self.authorization_keys:
            return self._reply({"authorization": self.authorizations[self.authorization_keys[key]]})
        account = self._account(call)
        if not _AMOUNT.fullmatch(body.get("amount", "")) or Decimal(body["amount"]) <= 0:
            raise self._refusal("INVALID_FIELD", "amount")
        if account["numbers_kind"] != "ach" or body.get("iso_currency_code", "USD") != "USD":
            raise self._refusal("TRANSFER_UNSUPPORTED_ACCOUNT_TYPE", "account_id")
        short = body["type"] == "debit" and Decimal(body["amount"]) > Decimal(str(account["available"]))
        authorization_id = self.world.new_id("authorization", "")
        self.authorizations[authorization_id] = {
            "id": authorization_id,
            "created": _iso(self.world.now()),
            "decision": "declined" if short else "approved",
            "decision_rationale": {"code": "NSF", "description": "Transaction likely to result in a return."}
            if short
            else None,
            "guarantee_decision": None,
            "guarantee_decision_rationale": None,
            "payment_risk": None,
            "proposed_transfer": {
                "account_id": body["account_id"],
                "ach_class": body.get("ach_class", "web"),
                "amount": body["amount"],
                "credit_funds_source": None,
                "funding_account_id": None,
                "iso_currency_code": "USD",
                "network": body["network"],
                "origination_account_id": "",
                "originator_client_id": None,
                "requested_amount": body["amount"],
                "type": body["type"],
                "user": _shown_user(body.get("user", {})),
            },
        }
        if key:
            self.authorization_keys[key] = authorization_id
        return self._reply({"authorization": self.authorizations[authorization_id]})

    def create_transfer(self, call: Call) -> Reply:
        """Make the transfer of an authorisation; the authorisation is the key, so a second call gives the first."""
        body = call.json()
        known = self.authorizations.get(body.get("authorization_id", ""))
        if known is None or known["decision"] != "approved":
            raise self._refusal("TRANSFER_INVALID_AUTHORIZATION", "authorization_id")
        made = next((one for one in self.transfers.values() if one["authorization_id"] == known["id"]), None)
        if made is None:
            made = self._new_transfer(known, body)
            self._happen(made, "pending")
            for status, seconds in _STEPS_S.items():
                self.world.plan(seconds, self.vendor, "move", {"transfer_id": made["id"], "status": status})
        return self._reply({"transfer": made})

    def _new_transfer(self, authorization: Json, body: Json) -> Json:
        proposed = authorization["proposed_transfer"]
        today = datetime.fromtimestamp(self.world.now(), tz=UTC).date()
        transfer = {
            "id": self.world.new_id("transfer", ""),
            "authorization_id": authorization["id"],
            "account_id": proposed["account_id"],
            "ach_class": proposed["ach_class"],
            "amount": proposed["amount"],
            "cancellable": True,
            "created": _iso(self.world.now()),
            "credit_funds_source": None,
            "description": body["description"],
            "expected_settlement_date": (today + timedelta(days=2)).isoformat(),
            "failure_reason": None,
            "funding_account_id": None,
            "guarantee_decision": None,
            "guarantee_decision_rationale": None,
            "iso_currency_code": "USD",
            "metadata": body.get("metadata"),
            "network": proposed["network"],
            "origination_account_id": "",
            "originator_client_id": None,
            "recurring_transfer_id": None,
            "refunds": [],
            "standard_return_window": (today + timedelta(days=3)).isoformat(),
            "status": "pending",
            "type": proposed["type"],
            "unauthorized_return_window": (today + timedelta(days=61)).isoformat(),
            "user": proposed["user"],
        }
        self.transfers[transfer["id"]] = transfer
        return transfer

    def get_transfer(self, call: Call) -> Reply:
        """Return one transfer, by its id or its authorisation's."""
        return self._reply({"transfer": self._transfer(call)})

    def list_transfers(self, call: Call) -> Reply:
        """Return transfers made in a time, newest first."""
        body = call.json()
        count, offset = int(body.get("count", 25)), int(body.get("offset", 0))
        start, end = body.get("start_date"), body.get("end_date")
        found = [
            transfer
            for transfer in reversed(list(self.transfers.values()))
            if (not start or _time(transfer["created"]) >= _time(start))
            and (not end or _time(transfer["created"]) <= _time(end))
        ]
        page = found[offset : offset + count]
        return self._reply({"transfers": page, "has_more": len(found) > offset + count})

    def cancel_transfer(self, call: Call) -> Reply:
        """Cancel what has not been posted."""
        transfer = self._transfer(call)
        if transfer["status"] != "pending":
            raise self._refusal("TRANSFER_NOT_CANCELLABLE", "transfer_id")
        self._happen(transfer, "cancelled")
        return self._reply({})

    def sync_events(self, call: Call) -> Reply:
        """Return events after an id, oldest first."""
        body = call.json()
        later = [event for event in self.events if event["event_id"] > int(body["after_id"])]
        count = int(body.get("count", 100))
        return self._reply({"transfer_events": later[:count], "has_more": len(later) > count})

    def simulate(self, call: Call) -> Reply:
        """Let something happen to a transfer: posted, settled, funds_available, failed, returned."""
        body = call.json()
        transfer = self._transfer(call)
        if body.get("event_type") not in _NEXT.get(transfer["status"], ()):
            raise self._refusal("SANDBOX_TRANSFER_EVENT_TRANSITION_INVALID", "event_type")
        self._happen(transfer, body["event_type"], body.get("failure_reason"))
        return self._reply({})

    def bounce_latest(self, code: str = "R01") -> None:
        """Let the bank of the latest transfer take it back."""
        *_, transfer = self.transfers.values()
        self._happen(transfer, "returned", {"failure_code": code})

    def step_move(self, transfer_id: str, status: str) -> None:
        """Move a transfer on, unless it has ended or was moved already."""
        transfer = self.transfers[transfer_id]
        if status in _NEXT.get(transfer["status"], ()) and (status, transfer["type"]) != (
            "funds_available",
            "credit",
        ):
            self._happen(transfer, status)

    def _happen(self, transfer: Json, status: str, failure: Json | None = None) -> None:
        transfer.update(status=status, cancellable=status == "pending")
        if status in _FINAL and status != "cancelled":
            code = (failure or {}).get("failure_code") or ("R01" if status == "returned" else None)
            transfer["failure_reason"] = {
                "ach_return_code": code,
                "description": "the bank sent it back" if status == "returned" else "the bank refused it",
                "failure_code": code,
            }
        self.events.append(
            {
                "event_id": len(self.events) + 1,
                "timestamp": _iso(self.world.now()),
                "event_type": status,
                "account_id": transfer["account_id"],
                "funding_account_id": None,
                "transfer_id": transfer["id"],
                "origination_account_id": "",
                "originator_client_id": None,
                "transfer_type": transfer["type"],
                "transfer_amount": transfer["amount"],
                "failure_reason": transfer["failure_reason"],
                "sweep_id": None,
                "sweep_amount": None,
                "refund_id": None,
            }
        )
        event = {
            "environment": "sandbox",
            "webhook_code": "TRANSFER_EVENTS_UPDATE",
            "webhook_type": "TRANSFER",
        }
        kind = "TRANSFER.TRANSFER_EVENTS_UPDATE"
        self.send(Delivery(self.vendor, self.hook_url, kind, event, self.world.now()))

    # --- keys and helpers -----------------------------------------------------------------------------------------

    def get_key(self, call: Call) -> Reply:
        """Return the public half of a signing key."""
        key = self.keys.public(call.json().get("key_id", ""))
        if key is None:
            raise self._refusal("INVALID_WEBHOOK_VERIFICATION_KEY_ID", "key_id")
        return self._reply({"key": key})

    def _transfer(self, call: Call) -> Json:
        body = call.json()
        for transfer in self.transfers.values():
            if body.get("transfer_id") == transfer["id"] or (
                "authorization_id" in body and body["authorization_id"] == transfer["authorization_id"]
            ):
                return transfer
        raise self._refusal("TRANSFER_NOT_FOUND", "transfer_id")


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(int(seconds), tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _owner(options: Json) -> str:
    """Return whose accounts the sandbox was told to make: Plaid's custom user describes them in its password."""
    if options.get("override_username") != "user_custom":
        return banks.OWNER
    described = json.loads(options.get("override_password") or "{}")
    accounts = described.get("override_accounts") or [{}]
    names = accounts[0].get("identity", {}).get("names") or [banks.OWNER]
    return str(names[0])


def _shown_user(user: Json) -> Json:
    names = ("phone_number", "email_address", "address")
    return {"legal_name": user.get("legal_name", ""), **{name: user.get(name) for name in names}}


def _shown_item(item: Json) -> Json:
    return {
        "available_products": ["balance"],
        "billed_products": item["products"],
        "consent_expiration_time": None,
        "error": None,
        "institution_id": item["institution_id"],
        "institution_name": banks.BANKS[item["institution_id"]].name,
        "item_id": item["item_id"],
        "update_type": "background",
        "webhook": item["webhook"],
    }
