"""Plaid's objects as the house sees them."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from flowlet.core.currencies import exponent
from flowlet.core.money import Money


@dataclass(frozen=True, slots=True)
class LinkToken:
    """Opens the page on which a person picks his bank, until it expires; `url` is a ready-made one, '' for none."""

    token: str
    expires_at: datetime
    url: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """One linked bank; `access_token` is a secret."""

    id: str
    access_token: str


@dataclass(frozen=True, slots=True)
class BankAccount:
    """An account at a linked bank; `available` and `current` are None where the bank does not say."""

    id: str
    name: str
    mask: str
    kind: str
    subtype: str
    currency: str
    available: Money | None
    current: Money | None


@dataclass(frozen=True, slots=True)
class Numbers:
    """
    The numbers of an account: `scheme` is ach, bacs, eft or international.

    `account` is an IBAN for international, `bank` the routing number, sort code, institution or BIC.
    """

    account_id: str
    scheme: str
    account: str
    bank: str


@dataclass(frozen=True, slots=True)
class Authorization:
    """Plaid's word on a transfer before it is made; `code` says why it was declined."""

    id: str
    decision: str
    code: str


@dataclass(frozen=True, slots=True)
class Transfer:
    """A transfer: `direction` debit (to us) or credit (from us), `status` in Plaid's words, `code` such as R01."""

    id: str
    authorization: str
    direction: str
    amount: Money
    status: str
    network: str
    our_reference: str
    code: str
    cancellable: bool


@dataclass(frozen=True, slots=True)
class TransferEvent:
    """Something that happened to a transfer; `id` counts up over all transfers and is the place to go on from."""

    id: int
    kind: str
    transfer: str
    code: str
    at: datetime


def read_account(data: dict[str, Any]) -> BankAccount:
    """Return an account from Plaid's words."""
    balances = data["balances"]
    currency = str(balances.get("iso_currency_code") or "")
    return BankAccount(
        id=data["account_id"],
        name=str(data.get("official_name") or data["name"]),
        mask=str(data.get("mask") or ""),
        kind=str(data["type"]),
        subtype=str(data.get("subtype") or ""),
        currency=currency,
        available=_money(balances.get("available"), currency),
        current=_money(balances.get("current"), currency),
    )


def read_numbers(data: dict[str, Any]) -> tuple[Numbers, ...]:
    """Return all numbers in an answer of /auth/get."""
    names = {
        "ach": ("account", "routing"),
        "bacs": ("account", "sort_code"),
        "eft": ("account", "institution"),
        "international": ("iban", "bic"),
    }
    return tuple(
        Numbers(one["account_id"], scheme, one[account], one[bank])
        for scheme, (account, bank) in names.items()
        for one in data.get(scheme) or ()
    )


def read_transfer(data: dict[str, Any]) -> Transfer:
    """Return a transfer from Plaid's words."""
    failure = data.get("failure_reason") or {}
    return Transfer(
        id=data["id"],
        authorization=data["authorization_id"],
        direction=str(data["type"]),
        amount=Money.parse(data["amount"], str(data["iso_currency_code"])),
        status=str(data["status"]),
        network=str(data["network"]),
        our_reference=str((data.get("metadata") or {}).get("flowlet_reference", "")),
        code=str(failure.get("failure_code") or failure.get("ach_return_code") or ""),
        cancellable=bool(data["cancellable"]),
    )


def read_event(data: dict[str, Any]) -> TransferEvent:
    """Return a transfer event from Plaid's words."""
    failure = data.get("failure_reason") or {}
    return TransferEvent(
        id=int(data["event_id"]),
        kind=str(data["event_type"]),
        transfer=str(data["transfer_id"]),
        code=str(failure.get("failure_code") or failure.get("ach_return_code") or ""),
        at=data["timestamp"],
    )


def _money(value: object, currency: str) -> Money | None:
    if value is None or not currency:
        return None
    # The SDK hands over a float; its shortest text is the number that Plaid wrote.
    return Money(int(Decimal(str(value)).scaleb(exponent(currency)).to_integral_value()), currency)
