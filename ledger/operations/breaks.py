"""Breaks: taken, explained, settled by booking elsewhere or by writing off, and raised when something never came."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Max

from flowlet.audit import trail
from flowlet.core.currencies import exponent
from flowlet.core.errors import NotFound
from flowlet.core.locks import lock
from ledger.choices_matching import LIVE_STATES, BreakKind, BreakReason, BreakState, MatchedBy
from ledger.errors_matching import BreakClosed, MoneyWaits, NotOpposite, NoWriteOffRule
from ledger.models.accounts import Account
from ledger.models.matching import Break, Match, SafeguardingProof, WriteOff, WriteOffRule
from ledger.models.reconciliation import BankLine, BankStatement
from ledger.operations.accounts import house_account
from ledger.operations.refusals import refusals
from ledger.operations.settling import Group, Use, close_breaks, item_break, open_breaks, settle
from ledger.queries.matching import list_open_items, used_of_lines

# A posting that no bank has shown this many days later is a break, once a statement covers them.
ITEM_GRACE = timedelta(days=3)
ITEM_LOOKED_BACK = timedelta(days=120)
# What an unexplained line may be booked to by one person's word and another's approval.
REBOOKED_TO = (
    "CUSTOMER_WALLETS",
    "OPERATING_BANK",
    "PARTNER_FUNDS",
    "EQUITY",
    "SUSPENSE",
    "SETTLEMENT_CLEARING",
)


def _locked(break_id: str) -> Break:
    """
    Return a live break with its line locked before it, as the order of locks wants it.

    :raises NotFound: if there is no such break
    :raises BreakClosed: if it is closed
    """
    known = Break.objects.filter(public_id=break_id).first()
    if known is None:
        raise NotFound
    if known.line_id is not None:
        list(lock(BankLine.objects.filter(pk=known.line_id)).values_list("pk"))
    found = lock(Break.objects.filter(pk=known.pk)).get()
    if found.state not in LIVE_STATES:
        raise BreakClosed
    return found


@transaction.atomic
def take_break(*, break_id: str, owner_id: int | None, now: datetime) -> Break:
    """
    Make somebody the owner of a break, or (None) nobody.

    :raises NotFound: if there is no such break
    :raises BreakClosed: if it is closed
    """
    del now
    found = _locked(break_id)
    before, found.owner_id = found.owner_id, owner_id
    found.save(update_fields=["owner"])
    _record("break.take", found, {"owner": [before, owner_id]})
    return found


@transaction.atomic
def explain_break(*, break_id: str, reason: BreakReason, note: str, due_at: datetime, now: datetime) -> Break:
    """
    Say why the break is there; it stays until `due_at` at least, and does not stop the close of a period.

    :raises NotFound: if there is no such break
    :raises BreakClosed: if it is closed
    """
    del now
    found = _locked(break_id)
    before = found.state
    found.state, found.reason, found.note, found.due_at = BreakState.EXPLAINED, reason, note[:500], due_at
    found.save(update_fields=["state", "reason", "note", "due_at"])
    _record("break.explain", found, {"state": [before, "EXPLAINED"]}, reason=reason)
    return found


@transaction.atomic
def resolve_break(
    *,
    break_id: str,
    reason: BreakReason,
    note: str = "",
    account_id: str = "",
    approval_id: int | None = None,
    now: datetime,
) -> Break:
    """
    Close a break; what waits of its line is booked to the account of that public id (`acc_…`).

    A break without a line whose money waits is closed by words alone: a posting that is settled elsewhere, a shortfall
    that was made up.

    :raises NotFound: if there is no such break or account
    :raises BreakClosed: if it is closed
    :raises MoneyWaits: if money waits and no account is named
    :raises NotOpposite: if the account is in another currency or not one to book to
    """
    found = _locked(break_id)
    if found.line_id is None:
        close_breaks([found], state=BreakState.RESOLVED, reason=reason, note=note, now=now)
    else:
        if not account_id:
            raise MoneyWaits
        group = _rebooking(found, target_account(account_id, found.currency), reason, approval_id, now)
        settle([replace(group, note=note)], now=now)
    found.refresh_from_db()
    return found


def target_account(account_id: str, currency: str) -> Account:
    """
    Return the account that the money of a break may be booked to.

    :raises NotFound: if there is no such account
    :raises NotOpposite: if it is in another currency or not one to book to
    """
    account = Account.objects.select_related("chart_account").filter(public_id=account_id).first()
    if account is None:
        raise NotFound
    if account.currency != currency:
        raise NotOpposite(reason="The account is in another currency.")
    if account.chart_account.code not in REBOOKED_TO:
        raise NotOpposite(
            reason="Receipts go to a wallet, a partner's funds or an account of the house, not to a result. "
            "Costs are written off."
        )
    return account


def _rebooking(
    found: Break, target: Account, reason: BreakReason, approval_id: int | None, now: datetime
) -> Group:
    return Group(
        uses=(_rest_of(found),),
        matched_by=MatchedBy.REBOOKED,
        score=100,
        reasons=("person",),
        day=max(now.date(), found.since),
        kind="BREAK_REBOOKED",
        source="break",
        target=target.pk,
        approval_id=approval_id,
        reason=reason,
    )


@transaction.atomic
def write_off(
    *, break_id: str, reason: BreakReason, approval_id: int | None = None, now: datetime
) -> WriteOff:
    """
    Write a break off as a cost or a gain: by the rule of its currency, or beyond it with an approval.

    :raises NotFound: if there is no such break
    :raises BreakClosed: if it is closed, or is about too little client money
    :raises NoWriteOffRule: without an approval, if the currency has no rule
    :raises OverCap: without an approval, if the rule allows less for one break or for the day
    """
    found = _locked(break_id)
    if found.kind == BreakKind.SHORTFALL:
        raise BreakClosed
    rule = None
    if approval_id is None:
        rule = WriteOffRule.objects.filter(currency=found.currency).order_by("-pk").first()
        if rule is None:
            raise NoWriteOffRule(currency=found.currency)
    group = _write_off_group(found, reason, approval_id, now)
    written: list[WriteOff] = []

    def note(matches: Sequence[Match]) -> None:
        written.append(
            WriteOff.objects.create(
                broken=found,
                rule=rule,
                approval_id=approval_id,
                transaction_id=matches[0].transaction_id,
                currency=found.currency,
                amount_minor=abs(matches[0].amount_minor),
                day=now.date(),
            )
        )

    with refusals():
        settle([group], before_closing=note, now=now)
    return written[0]


def _write_off_group(found: Break, reason: BreakReason, approval_id: int | None, now: datetime) -> Group:
    chart_code = "BANK_CHARGES" if reason == BreakReason.BANK_FEE else "RECONCILIATION_DIFFERENCES"
    target = house_account(chart_code=chart_code, currency=found.currency, now=now)
    return Group(
        uses=(_rest_of(found),),
        matched_by=MatchedBy.WRITTEN_OFF,
        score=100,
        reasons=("person",),
        day=max(now.date(), found.since),
        kind="WRITE_OFF_SMALL" if approval_id is None else "WRITE_OFF",
        source="break",
        target=target.pk,
        approval_id=approval_id,
        closes_as=BreakState.WRITTEN_OFF,
        reason=reason,
    )


def _rest_of(found: Break) -> Use:
    if found.line_id is not None:
        line = BankLine.objects.select_related("bank_account").get(pk=found.line_id)
        return Use(line.amount_minor - used_of_lines([line.pk]).get(line.pk, 0), line=line)
    items = list_open_items(found.currency, posting_ids=[found.posting_id or 0])
    if not items:
        raise BreakClosed  # the posting was settled or reversed since
    return Use(items[0].rest, item=items[0])


@transaction.atomic
def set_write_off_rule(
    *, currency: str, cap_break_minor: int, cap_day_minor: int, approval_id: int, now: datetime
) -> WriteOffRule:
    """
    Set how much one person may write off in a currency, minor units; two people have approved it.

    :raises UnknownCurrency: if the currency is not in ISO 4217
    """
    exponent(currency)
    rule = WriteOffRule.objects.create(
        currency=currency,
        cap_break_minor=cap_break_minor,
        cap_day_minor=cap_day_minor,
        approval_id=approval_id,
        set_at=now,
    )
    trail.record(
        action="write_off_rule.set",
        object_type="write_off_rule",
        object_id=currency,
        changes={"cap_break": [None, cap_break_minor], "cap_day": [None, cap_day_minor]},
    )
    return rule


def age_breaks(*, now: datetime) -> int:
    """
    Raise a break for each posting that a bank should have shown by now, close those settled otherwise; how many raised.

    A posting is due once an accepted statement of its currency ends `ITEM_GRACE` after it. What waits for a processor
    comes to the bank in payouts and is no break by itself. Safe to run twice.
    """
    latest = BankStatement.objects.filter(accepted_at__isnull=False).order_by()
    covered = latest.values_list("currency").annotate(until=Max("closing_date"))
    raised = 0
    for currency, until in covered:
        raised += _raise_for(currency, until - ITEM_GRACE, now)
    return raised


@transaction.atomic
def _raise_for(currency: str, latest: date, now: datetime) -> int:
    due = list_open_items(currency, first=latest - ITEM_LOOKED_BACK, latest=latest, codes=("BANK_CLEARING",))
    keys = [item.posting_id for item in due]
    known = set(
        Break.objects.filter(posting_id__in=keys, state__in=LIVE_STATES).values_list("posting_id", flat=True)
    )
    fresh = [item_break(item, item.rest, now) for item in due if item.posting_id not in known]
    try:
        with transaction.atomic():
            return len(open_breaks(fresh, now=now))
    except IntegrityError:
        return 0  # another run raised the same at this moment; the next one sees them


@transaction.atomic
def raise_shortfall(*, proof: SafeguardingProof, now: datetime) -> Break:
    """Raise a break over missing client money; while one is open in the currency, further days raise no other."""
    known = Break.objects.filter(
        kind=BreakKind.SHORTFALL, currency=proof.currency, state__in=LIVE_STATES
    ).first()
    if known is not None:
        return known
    fresh = Break(
        kind=BreakKind.SHORTFALL,
        proof=proof,
        currency=proof.currency,
        amount_minor=proof.surplus_minor,
        since=proof.day,
        due_at=now + timedelta(days=1),
        opened_at=now,
    )
    return open_breaks([fresh], now=now)[0]


def _record(
    verb: str, found: Break, changes: dict[str, Sequence[object]], *, reason: BreakReason | str = ""
) -> None:
    trail.record(
        action=verb,
        object_type="break",
        object_id=found.public_id,
        changes=changes,
        reason_code=str(reason),
        note=found.note if reason else "",
    )
