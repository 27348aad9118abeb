"""Linking a customer's bank: reserve, call, settle. The public token works once; what it gave is kept encrypted."""

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from flowlet.audit import trail
from flowlet.core.errors import NotFound
from flowlet.core.outcomes import Answer, Outcome
from flowlet.events import outbox
from flowlet.events.types import declare
from flowlet.identity.models import Customer
from flowlet.integrations.choices import LinkStatus, OwnerMatch
from flowlet.integrations.errors import (
    AccountNotUsable,
    LinkInProgress,
    LinkUnclear,
    PublicTokenRefused,
    VendorAway,
)
from flowlet.integrations.models import BankLink, LinkedAccount
from flowlet.integrations.plaid import client
from flowlet.integrations.plaid.shapes import BankAccount, Item, LinkToken

LINKED = declare("bank_link.created", "A customer's bank was linked.")
UNLINKED = declare("bank_link.removed", "A customer's bank is not linked any more.")
BROKEN = declare("bank_link.broken", "A customer must log in at the bank again before it can be used.")
REPAIRED = declare("bank_link.repaired", "A customer's bank can be used again.")
PRODUCTS = ("auth", "transfer", "identity")
# Source: Plaid's guide to identity match (read 2026-11-24): 70 and more is a match; 100 are the same words.
SCORE_MIN, SCORE_SAME = 70, 100
# A request that died while it held a public token has lost it.
_LOST_AFTER = timedelta(seconds=60)


def begin_link(*, customer_id: int, language: str = "en") -> LinkToken:
    """
    Return what opens the page on which the customer picks his bank. Calls Plaid; not inside a transaction.

    :raises VendorAway: if Plaid does not answer
    """
    customer = Customer.objects.get(pk=customer_id)
    answer = client.create_link_token(
        user_reference=customer.public_id, countries=("US",), language=language, products=PRODUCTS
    )
    if answer.outcome is not Outcome.DONE or answer.value is None:
        raise VendorAway
    return answer.value


def finish_link(*, customer_id: int, public_token: str, now: datetime) -> BankLink:
    """
    Turn a public token into a link with its accounts, once; the same token again returns the same link.

    Each account's owner is compared with the customer's name; only the score is kept. Calls Plaid between commits.

    :raises PublicTokenRefused: if Plaid does not take the token, or it made another customer's link
    :raises LinkInProgress: if another request is at it
    :raises LinkUnclear: if no answer came, or the request before died without one
    :raises VendorAway: if Plaid could not be reached; the token is still good
    """
    link, is_new = _reserve(customer_id, public_token, now)
    if is_new:
        _settle(link, client.exchange_public_token(public_token=public_token, our_reference=link.public_id))
    if link.status == LinkStatus.ACTIVE and not link.accounts.exists():
        _read_accounts(link, now)
    return link


@transaction.atomic
def _reserve(customer_id: int, public_token: str, now: datetime) -> tuple[BankLink, bool]:
    customer = Customer.objects.get(pk=customer_id)
    digest = hashlib.sha256(public_token.encode()).digest()
    fresh = BankLink(partner_id=customer.partner_id, customer=customer, token_digest=digest, created_at=now)
    BankLink.objects.bulk_create([fresh], ignore_conflicts=True)
    link = BankLink.objects.select_related("customer").get(token_digest=digest)
    if link.public_id == fresh.public_id:
        return link, True
    if link.customer_id != customer_id or link.status in (LinkStatus.FAILED, LinkStatus.REMOVED):
        raise LinkUnclear if link.reason == "unclear" else PublicTokenRefused
    if link.status == LinkStatus.PENDING:
        if now - link.created_at < _LOST_AFTER:
            raise LinkInProgress
        raise LinkUnclear
    return link, False


def _settle(link: BankLink, answer: Answer[Item]) -> None:
    if answer.outcome is Outcome.DONE and answer.value is not None:
        link.status, link.vendor_reference = LinkStatus.ACTIVE, answer.value.id
        link.access_token = answer.value.access_token
        link.save(update_fields=["status", "vendor_reference", "access_token"])
        return
    if answer.outcome is Outcome.NOT_SENT:
        # Nothing reached Plaid: the token is still good, so its place is free again.
        link.delete()
        raise VendorAway
    refused = answer.outcome is Outcome.REFUSED
    link.status, link.reason = LinkStatus.FAILED, answer.code[:80] if refused else "unclear"
    link.save(update_fields=["status", "reason"])
    raise PublicTokenRefused if refused else LinkUnclear


def _read_accounts(link: BankLink, now: datetime) -> None:
    token, reference = link.access_token or "", link.public_id
    accounts = client.get_accounts(access_token=token, our_reference=reference)
    if accounts.value is None:
        raise VendorAway
    scores = client.match_identity(
        access_token=token, legal_name=link.customer.name, our_reference=reference
    ).value
    institution = client.get_institution(access_token=token, our_reference=reference).value or ""
    with transaction.atomic():
        rows = [_account(link, one, (scores or {}).get(one.id), now) for one in accounts.value]
        LinkedAccount.objects.bulk_create(rows, ignore_conflicts=True)
        link.institution = institution[:120]
        link.save(update_fields=["institution"])
        _tell(link, "bank_link.create", LINKED, now)


def _account(link: BankLink, known: BankAccount, score: int | None, now: datetime) -> LinkedAccount:
    return LinkedAccount(
        link=link,
        vendor_reference=known.id,
        name=known.name[:120],
        mask=known.mask[:8],
        subtype=known.subtype[:30],
        currency=known.currency,
        owner_match=match_of(score),
        owner_score=score,
        created_at=now,
    )


def match_of(score: int | None) -> OwnerMatch:
    """Return what a score of 0 to 100 means; None is that nobody could say."""
    if score is None:
        return OwnerMatch.NOT_POSSIBLE
    if score >= SCORE_SAME:
        return OwnerMatch.MATCH
    return OwnerMatch.CLOSE_MATCH if score >= SCORE_MIN else OwnerMatch.NO_MATCH


def remove_link(*, partner_id: int, public_id: str, now: datetime) -> BankLink:
    """
    Give a bank back: not usable from now on; Plaid is told, at once or by the job when it cannot be reached.

    :raises NotFound: if it is absent or another partner's
    """
    with transaction.atomic():
        link = get_link(partner_id=partner_id, public_id=public_id)
        if _move(link, (LinkStatus.ACTIVE, LinkStatus.BROKEN), LinkStatus.REMOVING):
            _tell(link, "bank_link.remove", UNLINKED, now)
    if link.status == LinkStatus.REMOVING:
        _give_back(link, now)
    return link


def remove_waiting(*, now: datetime, limit: int = 50) -> int:
    """Tell Plaid of what was unlinked while it could not be reached, and return how many; safe to run twice."""
    rows = list(BankLink.objects.filter(status=LinkStatus.REMOVING).order_by("pk")[:limit])
    for link in rows:
        _give_back(link, now)
    return len(rows)


def _give_back(link: BankLink, now: datetime) -> None:
    answer = client.remove_item(access_token=link.access_token or "", our_reference=link.public_id)
    # REFUSED: Plaid does not know the token any more, which is what we want.
    if answer.outcome in (Outcome.DONE, Outcome.REFUSED):
        _move(link, (LinkStatus.REMOVING,), LinkStatus.REMOVED, removed_at=now, access_token=None)


def _move(link: BankLink, before: Iterable[LinkStatus], status: LinkStatus, **more: object) -> bool:
    """Move a link on in one statement; False if somebody else did, and then it is as they left it."""
    changed = BankLink.objects.filter(pk=link.pk, status__in=before).update(status=status, **more)
    link.refresh_from_db(fields=["status", *more])
    return bool(changed)


@transaction.atomic
def change_by_vendor(*, vendor_reference: str, status: LinkStatus, reason: str, now: datetime) -> bool:
    """Apply what Plaid says about an item: BROKEN, ACTIVE again, or REMOVED by the person; False if it is not ours."""
    link = BankLink.objects.filter(vendor_reference=vendor_reference).exclude(vendor_reference="").first()
    if link is None:
        return False
    moves = {
        (LinkStatus.ACTIVE, LinkStatus.BROKEN): BROKEN,
        (LinkStatus.BROKEN, LinkStatus.ACTIVE): REPAIRED,
        (LinkStatus.ACTIVE, LinkStatus.REMOVED): UNLINKED,
        (LinkStatus.BROKEN, LinkStatus.REMOVED): UNLINKED,
    }
    event = moves.get((LinkStatus(link.status), status))
    if event is None:
        return True
    gone = {"removed_at": now, "access_token": None} if status == LinkStatus.REMOVED else {}
    if _move(link, (LinkStatus(link.status),), status, reason=reason[:80], **gone):
        _tell(link, "bank_link.change", event, now)
    return True


def get_link(*, partner_id: int, public_id: str) -> BankLink:
    """
    Return a partner's link with its customer.

    :raises NotFound: if it is absent or another partner's
    """
    link = list_links(partner_id=partner_id).filter(public_id=public_id).first()
    if link is None:
        raise NotFound
    return link


def list_links(*, partner_id: int) -> QuerySet[BankLink]:
    """Return a partner's links with customers and accounts, newest first; those that came to nothing are left out."""
    rows = BankLink.objects.filter(partner_id=partner_id)
    rows = rows.exclude(status__in=(LinkStatus.PENDING, LinkStatus.FAILED))
    return rows.select_related("customer").prefetch_related("accounts").order_by("-created_at", "-id")


def get_usable_account(*, partner_id: int, customer_id: int, public_id: str) -> LinkedAccount:
    """
    Return an account that money may be drawn from, with its link.

    :raises NotFound: if it is absent or another customer's: the two look alike
    :raises AccountNotUsable: if it was unlinked, needs a log-in, or its owner is not the customer
    """
    rows = LinkedAccount.objects.filter(link__partner_id=partner_id, link__customer_id=customer_id)
    account = rows.select_related("link__customer").filter(public_id=public_id).first()
    if account is None:
        raise NotFound
    if account.link.status != LinkStatus.ACTIVE:
        raise AccountNotUsable(reason=LinkStatus(account.link.status).label.lower())
    if not account.usable:
        raise AccountNotUsable(reason="its owner does not match the customer")
    return account


def find_account(public_id: str) -> LinkedAccount | None:
    """Return an account with its link and customer, or None."""
    rows = LinkedAccount.objects.select_related("link__customer")
    return rows.filter(public_id=public_id).first()


def _tell(link: BankLink, action: str, event: str, now: datetime) -> None:
    trail.record(
        action=action,
        object_type="bank_link",
        object_id=link.public_id,
        changes={"status": [None, link.status]},
        partner_id=link.partner_id,
        customer=link.customer.public_id,
    )
    outbox.publish(
        type=event,
        object_type="bank_link",
        object_id=link.public_id,
        partner_id=link.partner_id,
        data={"id": link.public_id, "customer": link.customer.public_id, "status": link.status.lower()},
        at=now,
    )
