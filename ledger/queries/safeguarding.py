"""
What customers are owed at the end of a day, and what lies at banks for them, in each currency.

The requirement is the sum over customers of max(0, own balance), and what was received but not allocated; the resource
is what the banks' own statements close with. Nobody's debt lessens what another is owed.
Source: FCA PS25/12, CASS 15.8 (safeguarding of relevant funds, daily reconciliation), in force 7 May 2026.
"""

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date

from django.db import connection
from django.db.models import OuterRef, QuerySet, Subquery

from flowlet.core import jsons
from ledger.anchoring import signing
from ledger.models.matching import SafeguardingProof
from ledger.models.reconciliation import BankStatement, HouseBankAccount

SIGNED_FORMAT = "flowlet-safeguarding-1"
# The balance of now without what has a later value date: few postings for a day that has just ended.
_BALANCES = """
WITH wanted AS (
    SELECT a.id, a.currency, a.sign, a.customer_id, c.code
    FROM ledger_account a JOIN ledger_chartaccount c ON c.id = a.chart_account_id
    WHERE c.code = ANY(%(codes)s)
), later AS (
    SELECT p.account_id, sum(p.amount) AS amount
    FROM ledger_posting p WHERE p.effective_date > %(day)s AND p.account_id IN (SELECT id FROM wanted)
    GROUP BY p.account_id
), standing AS (
    SELECT w.currency, w.code, coalesce(w.customer_id, -w.id) AS owner,
           b.posted - w.sign * coalesce(l.amount, 0) AS held
    FROM wanted w JOIN ledger_balance b ON b.account_id = w.id LEFT JOIN later l ON l.account_id = w.id
), owned AS (
    SELECT currency, code, owner, sum(held) AS held FROM standing GROUP BY currency, code, owner
)
SELECT currency, code, count(*) FILTER (WHERE held > 0), coalesce(sum(greatest(held, 0)), 0)::bigint, sum(held)::bigint
FROM owned GROUP BY currency, code
"""
_CUSTOMERS, _UNALLOCATED = "CUSTOMER_WALLETS", ("UNALLOCATED_RECEIPTS", "SUSPENSE")
_ON_THE_WAY = ("BANK_CLEARING", "SETTLEMENT_CLEARING", "CASH_AT_AGENTS")


@dataclass(frozen=True, slots=True)
class BankClosing:
    """What one client-money account closed with, by the latest statement up to the day; none: nothing was stated."""

    bank_account: str
    name: str
    closing_minor: int
    stated_on: date | None
    statement: str

    def as_json(self) -> dict[str, object]:
        """Return it as it is stored."""
        return {
            "bank_account": self.bank_account,
            "name": self.name,
            "closing_minor": self.closing_minor,
            "stated_on": self.stated_on.isoformat() if self.stated_on else None,
            "statement": self.statement,
        }


@dataclass(frozen=True, slots=True)
class Standing:
    """One currency at the end of a day, minor units. `complete` tells whether every account has that day's statement."""

    currency: str
    customer_count: int
    customers_minor: int
    unallocated_minor: int
    on_the_way_minor: int
    closings: tuple[BankClosing, ...]

    @property
    def requirement_minor(self) -> int:
        """What must lie at banks."""
        return self.customers_minor + self.unallocated_minor

    @property
    def resource_minor(self) -> int:
        """What lies at banks."""
        return sum(closing.closing_minor for closing in self.closings)

    def complete(self, day: date) -> bool:
        """Tell whether each account was stated on that very day."""
        return bool(self.closings) and all(closing.stated_on == day for closing in self.closings)


def get_standings(day: date) -> list[Standing]:
    """Return how each currency stood at the end of a day, by value date, sorted by currency."""
    sums = _sums(day)
    closings = _closings(day)
    found = []
    for currency in sorted({*closings, *(code for code, _ in sums)}):
        count, owed, _ = sums.get((currency, _CUSTOMERS), (0, 0, 0))
        waiting = sum(sums.get((currency, code), (0, 0, 0))[1] for code in _UNALLOCATED)
        on_the_way = sum(sums.get((currency, code), (0, 0, 0))[2] for code in _ON_THE_WAY)
        if count or waiting or closings.get(currency):
            found.append(
                Standing(currency, count, owed, waiting, on_the_way, tuple(closings.get(currency, ())))
            )
    return found


def _sums(day: date) -> dict[tuple[str, str], tuple[int, int, int]]:
    """Return owners above zero, the sum over them, and the plain sum, by currency and heading."""
    codes = [_CUSTOMERS, *_UNALLOCATED, *_ON_THE_WAY]
    with connection.cursor() as cursor:
        cursor.execute(_BALANCES, {"codes": codes, "day": day})
        return {
            (currency, code): (count, owed, net) for currency, code, count, owed, net in cursor.fetchall()
        }


def _closings(day: date) -> dict[str, list[BankClosing]]:
    latest = BankStatement.objects.filter(
        bank_account=OuterRef("pk"), accepted_at__isnull=False, closing_date__lte=day
    ).order_by("-sequence")
    accounts = HouseBankAccount.objects.filter(client_money=True).annotate(
        statement_id=Subquery(latest.values("pk")[:1])
    )
    rows = list(accounts.order_by("pk"))
    statements = BankStatement.objects.in_bulk([row.statement_id for row in rows if row.statement_id])
    found: dict[str, list[BankClosing]] = defaultdict(list)
    for row in rows:
        stated = statements.get(row.statement_id)
        found[row.currency].append(
            BankClosing(
                row.public_id,
                row.name,
                stated.closing_minor if stated else 0,
                stated.closing_date if stated else None,
                stated.public_id if stated else "",
            )
        )
    return found


def list_proofs() -> QuerySet[SafeguardingProof]:
    """Return all proofs, the latest day first, of one day the latest version first."""
    return SafeguardingProof.objects.order_by("-day", "currency", "-version", "-pk")


def get_shortfalls() -> dict[str, int]:
    """
    Return for each currency ever proven what is missing by its latest proof, minor units, 0 where all is covered.

    A currency that the latest day has no proof of is no longer owed to anybody, nor kept at a bank.
    """
    rows = list(SafeguardingProof.objects.order_by("currency", "-day", "-version").distinct("currency"))
    latest = max((row.day for row in rows), default=None)
    return {row.currency: max(-row.surplus_minor, 0) if row.day == latest else 0 for row in rows}


def digest_of(proof: SafeguardingProof) -> str:
    """Return the SHA-256 of what a proof states, in hex: of its canonical JSON; amounts in minor units."""
    stated = {
        "day": proof.day.isoformat(),
        "currency": proof.currency,
        "customers": proof.customers_minor,
        "customer_count": proof.customer_count,
        "unallocated": proof.unallocated_minor,
        "requirement": proof.requirement_minor,
        "resource": proof.resource_minor,
        "on_the_way": proof.on_the_way_minor,
        "accounts": proof.accounts,
    }
    return hashlib.sha256(jsons.dumps_canonical(stated)).hexdigest()


def signed_fields(proof: SafeguardingProof, key_id: int) -> dict[str, str | int]:
    """Return what the signature of a proof is over, as canonical JSON: which proof, its digest, when, by which key."""
    return {
        "format": SIGNED_FORMAT,
        "id": proof.public_id,
        "day": proof.day.isoformat(),
        "currency": proof.currency,
        "version": proof.version,
        "sha256": proof.sha256,
        "made_at": proof.made_at.astimezone(UTC).isoformat(timespec="seconds"),
        "key": key_id,
    }


def fault_of(proof: SafeguardingProof) -> str:
    """Return in words why a proof is not as it was signed, '' if it is."""
    if digest_of(proof) != proof.sha256:
        return "its figures do not make its digest"
    try:
        signing.check(signed_fields(proof, proof.key_id), proof.key_id, bytes(proof.signature))
    except signing.BadSignature as fault:
        return str(fault)
    return ""
