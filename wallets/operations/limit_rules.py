"""Setting what customers of a tier may move: asked for by one person, agreed to by another, binding at the next use."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.urls import reverse

from flowlet.audit import trail
from flowlet.backoffice.approvals.operations import request_approval
from flowlet.backoffice.approvals.registry import APPROVALS, ApprovalKind
from flowlet.backoffice.models import Approval
from flowlet.core.currencies import exponent
from flowlet.core.errors import FieldError, InvalidInput
from flowlet.core.money import MINOR_MAX, InvalidAmount, Money
from flowlet.identity.choices import Tier
from flowlet.identity.models import Partner
from wallets.choices import LimitInterval, LimitKind
from wallets.models import LimitRule

SET_LIMIT = "wallets.set_limit"
_PERMISSION = "wallets.change_limitrule"
_ALL = "*"  # no code: ALL would be the Albanian lek


@dataclass(frozen=True, slots=True)
class RuleKey:
    """Whom and what a limit binds. No partner: all of them; currency '': all that have no limit of their own."""

    tier: str
    kind: str
    interval: str
    currency: str = ""
    partner: str = ""

    @property
    def text(self) -> str:
        """The key as one word, by which approvals and the trail know the limit."""
        return ":".join((self.tier, self.kind, self.interval, self.currency or _ALL, self.partner or _ALL))

    @classmethod
    def read(cls, text: str) -> "RuleKey":
        """Return the key of such a word."""
        tier, kind, interval, currency, partner = text.split(":")
        return cls(tier, kind, interval, currency.removeprefix(_ALL), "" if partner == _ALL else partner)

    def amount_of(self, minor: int) -> str:
        """Return an amount of such a limit in words; without a currency its unit is whatever the currency's is."""
        if self.currency:
            return Money(minor, self.currency).format()
        return f"{Decimal(minor) / 100:,.2f} of any other currency"

    def minor_of(self, amount: Decimal) -> int:
        """
        Return an amount as people write it in what the limit counts in.

        :raises InvalidAmount: if it has more digits than the currency
        """
        if self.currency:
            return Money.parse(f"{amount:f}", self.currency).minor
        return Money.parse(f"{amount:f}", "EUR").minor  # hundredths, whatever the currency


def key_of(rule: LimitRule) -> RuleKey:
    """Return the key of a stored rule; needs its partner selected."""
    partner = rule.partner.public_id if rule.partner else ""
    return RuleKey(rule.tier, rule.kind, rule.interval, rule.currency, partner)


def ask_to_set_limit(
    *, key: RuleKey, amount_minor: int, maker_id: int, reason_code: str, note: str = "", now: datetime
) -> Approval:
    """
    Ask a second person to set a limit, a new one or another amount; in minor units, or hundredths without a currency.

    :raises InvalidInput: if there can be no such limit
    :raises InvalidAmount: if the amount is below zero or too large
    :raises NotYourApproval: if the maker lacks the right
    :raises ApprovalPending: if somebody asked before
    """
    _check(key, amount_minor)
    return request_approval(
        action=SET_LIMIT,
        object_type="limit_rule",
        object_id=key.text,
        payload={"limit": key.amount_of(amount_minor), "amount_minor": amount_minor},
        maker_id=maker_id,
        reason_code=reason_code,
        note=note,
        now=now,
    )


@transaction.atomic
def set_limit(*, key: RuleKey, amount_minor: int, reason_code: str, now: datetime, note: str = "") -> None:
    """
    Set a limit; the next movement is measured by it, also against what was moved before today or this month.

    Two people have agreed, if a person asked.

    :raises InvalidInput: if there can be no such limit
    :raises InvalidAmount: if the amount is below zero or too large
    """
    del now  # a limit has no clock: the trail keeps when it was set
    _check(key, amount_minor)
    partner = Partner.objects.filter(public_id=key.partner).first() if key.partner else None
    rows = LimitRule.objects.filter(
        tier=key.tier, kind=key.kind, interval=key.interval, currency=key.currency, partner=partner
    )
    before = rows.values_list("amount_minor", flat=True).first()
    if not rows.update(amount_minor=amount_minor):
        LimitRule.objects.create(
            tier=key.tier,
            kind=key.kind,
            interval=key.interval,
            currency=key.currency,
            partner=partner,
            amount_minor=amount_minor,
        )
    trail.record(
        action="limit_rule.set",
        object_type="limit_rule",
        object_id=key.text,
        changes={"amount_minor": [before, amount_minor]},
        reason_code=reason_code,
        note=note,
        partner_id=partner.pk if partner else None,
    )


def _check(key: RuleKey, amount_minor: int) -> None:
    if not 0 <= amount_minor <= MINOR_MAX:
        raise InvalidAmount(reason="A limit is zero or more, and not beyond what can be booked.")
    if key.currency:
        exponent(key.currency)
    faults = [
        FieldError(f"/{name}", "invalid_choice", "There is no such limit.")
        for name, known in (("tier", Tier), ("kind", LimitKind), ("interval", LimitInterval))
        if getattr(key, name) not in known.values
    ]
    if key.interval == LimitInterval.BALANCE and key.kind != LimitKind.IN:
        faults.append(FieldError("/interval", "invalid_choice", "What wallets hold limits money in only."))
    if key.partner and not Partner.objects.filter(public_id=key.partner).exists():
        faults.append(FieldError("/partner", "not_found", "There is no such partner."))
    if faults:
        raise InvalidInput(errors=tuple(faults))


def find_rule(key: RuleKey) -> LimitRule | None:
    """Return the stored rule of a key, or None."""
    rows = LimitRule.objects.filter(
        tier=key.tier, kind=key.kind, interval=key.interval, currency=key.currency
    )
    rows = rows.filter(partner__public_id=key.partner) if key.partner else rows.filter(partner=None)
    return rows.first()


def _evidence(object_id: str) -> Mapping[str, object]:
    key = RuleKey.read(object_id)
    rule = find_rule(key)
    return {
        "tier": Tier(key.tier).label,
        "what": f"{LimitKind(key.kind).label}, {LimitInterval(key.interval).label.lower()}",
        "currency": key.currency or "All that have no limit of their own",
        "partner": Partner.objects.get(public_id=key.partner).name if key.partner else "All",
        "limit_now": key.amount_of(rule.amount_minor) if rule else "None of its own",
    }


def _execute(approval: Approval, now: datetime) -> None:
    set_limit(
        key=RuleKey.read(approval.object_id),
        amount_minor=int(approval.payload["amount_minor"]),
        reason_code=approval.reason_code,
        note=approval.note,
        now=now,
    )


def _href(object_id: str) -> str:
    rule = find_rule(RuleKey.read(object_id))
    if rule is None:
        return reverse("admin:wallets_limitrule_changelist")
    return reverse("admin:wallets_limitrule_change", args=[rule.pk])


APPROVALS.register(SET_LIMIT)(
    ApprovalKind(
        title="Set a limit of customers",
        permission=_PERMISSION,
        maker_permission=_PERMISSION,
        evidence=_evidence,
        execute=_execute,
        object_href=_href,
        hours=72,
    )
)
