"""The banks of the simulated Plaid and the accounts people have there. Standard library only."""

from dataclasses import dataclass
from typing import Any

from flowlet.integrations.simulation.world import World

Json = dict[str, Any]
_NINETY_EIGHT, _NINETY_SEVEN = 98, 97


@dataclass(frozen=True, slots=True)
class Bank:
    """One bank: in which country's numbers it counts, and its currency."""

    name: str
    country: str
    currency: str
    kind: str


# Ids of Plaid's own sandbox where there is one for the country.
BANKS = {
    "ins_109508": Bank("First Platypus Bank", "US", "USD", "ach"),
    "ins_109509": Bank("First Gingham Credit Union", "US", "USD", "ach"),
    "ins_117650": Bank("Royal Bank of Plaid", "GB", "GBP", "bacs"),
    "ins_118923": Bank("Flowlet Test Bank Berlin", "DE", "EUR", "international"),
    "ins_118924": Bank("Flowlet Test Bank Amsterdam", "NL", "EUR", "international"),
}
OWNER = "Alberta Bobbeth Charleson"  # the owner of every account in Plaid's sandbox


def accounts_of(bank: Bank, item_id: str, world: World, owner: str = OWNER) -> list[Json]:
    """Return a checking and a savings account of the owner, with numbers that follow from seed and item."""
    kinds = (("checking", "Plaid Checking", 2500.0), ("savings", "Plaid Saving", 12000.0))
    return [
        {
            "account_id": world.new_id("account", ""),
            "available": available,
            "currency": bank.currency,
            "mask": digits[-4:],
            "name": name,
            "numbers": _numbers(bank, digits),
            "numbers_kind": bank.kind,
            "owner": owner,
            "subtype": subtype,
        }
        for subtype, name, available in kinds
        for digits in [_digits(world, item_id, subtype)]
    ]


def shown(account: Json) -> Json:
    """Return an account as Plaid's answers hold it."""
    return {
        "account_id": account["account_id"],
        "balances": {
            "available": account["available"],
            "current": account["available"] + 10.0,
            "iso_currency_code": account["currency"],
            "limit": None,
            "unofficial_currency_code": None,
        },
        "mask": account["mask"],
        "name": account["name"],
        "official_name": f"{account['name']} Standard",
        "subtype": account["subtype"],
        "type": "depository",
    }


def match(given: str, owner: str) -> Json:
    """Score a name against the owner's: the share of the words they have in common, 100 for the same words."""
    ours, theirs = set(given.casefold().split()), set(owner.casefold().split())
    score = 100 * len(ours & theirs) // max(len(ours | theirs), 1)
    name = {
        "is_business_name_detected": False,
        "is_first_name_or_last_name_match": bool(ours & theirs),
        "is_nickname_match": False,
        "score": score,
    }
    # What was not asked about is there without a score.
    return {
        "legal_name": name,
        "phone_number": {"score": None},
        "email_address": {"score": None},
        "address": {"is_postal_code_match": None, "score": None},
    }


def _digits(world: World, item_id: str, subtype: str) -> str:
    return f"{int.from_bytes(world.digest('bank', item_id, subtype)[:6], 'big') % 10**12:012d}"


def _numbers(bank: Bank, digits: str) -> Json:
    if bank.kind == "ach":
        return {"account": digits, "routing": "011401533", "wire_routing": "021000021"}
    if bank.kind == "bacs":
        return {"account": digits[:8], "sort_code": "070116"}
    national = f"10070848{digits[:10]}" if bank.country == "DE" else f"INGB{digits[:10]}"
    return {"bic": "DEUTDEDB" if bank.country == "DE" else "INGBNL2A", "iban": _iban(bank.country, national)}


def _iban(country: str, national: str) -> str:
    # Check digits by ISO 13616: letters count from A = 10, the remainder by 97 is taken from 98.
    number = int("".join(str(int(char, 36)) for char in f"{national}{country}00"))
    return f"{country}{_NINETY_EIGHT - number % _NINETY_SEVEN:02d}{national}"
