"""Three months of official statements for some wallets, a few files that were given out, and exports in several states."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from django.db.models import Min

from flowlet.audit.trail import Actor, acting
from flowlet.demo.people import DESKS
from flowlet.identity.models import Customer, Partner, User
from ledger.choices import ExportSubject
from ledger.models.statements import Statement
from ledger.models.transactions import Posting
from ledger.operations.exports import request_export, run_export
from ledger.operations.sealing import seal
from ledger.operations.statements import give_statement, issue_statement
from ledger.statements.facts import day_of, start_of
from wallets.models import Wallet

_WALLETS, _MONTHS = 40, 3


def fill(*, now: datetime) -> int:
    """Issue the statements, give some out, ask for exports; return how many statements there are."""
    while seal():
        pass
    with acting(Actor("SYSTEM", "job:ledger.issue_statements")):
        for wallet in _chosen(now):
            _issue(wallet, now)
    user = User.objects.get(email=next(desk.email for desk in DESKS if desk.role == "finance"))
    with acting(Actor("STAFF", user.public_id, user.full_name)):
        _give_out(now)
        _export(now)
    return Statement.objects.count()


def _chosen(now: datetime) -> list[Wallet]:
    rows = Wallet.objects.filter(created_at__lt=now - timedelta(days=60), account__balance__seq__gt=8)
    return list(rows.select_related("account").order_by("customer__reference", "currency", "pk")[:_WALLETS])


def _month_ends(now: datetime) -> Iterator[date]:
    """Yield the last days of the latest months that are over, the oldest first."""
    ends = [day_of(now).replace(day=1) - timedelta(days=1)]
    while len(ends) < _MONTHS:
        ends.append(ends[-1].replace(day=1) - timedelta(days=1))
    yield from reversed(ends)


def _issue(wallet: Wallet, now: datetime) -> None:
    opened = day_of(wallet.account.opened_at)
    for latest in _month_ends(now):
        if opened <= latest:
            # The whole story was booked today: its months end by the days of its entries.
            later = Posting.objects.filter(account_id=wallet.account_id, effective_date__gt=latest)
            seq = later.aggregate(seq=Min("account_seq"))["seq"]
            issue_statement(
                account_id=wallet.account_id,
                latest_date=latest,
                now=start_of(latest + timedelta(days=1)) + timedelta(hours=1),
                through_seq=wallet.account.balance.seq if seq is None else seq - 1,
            )


def _give_out(now: datetime) -> None:
    newest = Statement.objects.order_by("-latest_date", "account_id")[:3]
    for statement, (name, version) in zip(
        newest, (("pdf", ""), ("camt053", "08"), ("mt940", "")), strict=False
    ):
        give_statement(statement_id=statement.pk, format=name, version=version, now=now)


def _export(now: datetime) -> None:
    """Two of a customer that are ready, one of a partner that nobody has worked on yet."""
    customer = Customer.objects.filter(wallets__isnull=False).order_by("reference", "pk").first()
    partner = Partner.objects.order_by("name", "pk").first()
    if customer is None or partner is None:
        return
    for name in ("camt053", "pdf"):
        _ask(ExportSubject.CUSTOMER, customer.public_id, name, now)
    while run_export(clock=lambda: now):
        pass
    _ask(ExportSubject.PARTNER, partner.public_id, "xlsx", now)


def _ask(kind: ExportSubject, subject: str, name: str, now: datetime) -> None:
    latest = list(_month_ends(now))[-1]
    request_export(
        subject_kind=kind,
        subject=subject,
        first=latest.replace(day=1),
        latest=latest,
        format=name,
        now=now,
    )
