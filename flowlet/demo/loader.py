"""Playing the story through the operations of the house: the only door. Each partner in a process of its own."""

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from multiprocessing.pool import AsyncResult
from pathlib import Path
from queue import Empty, Queue
from threading import Event

from django.db import connection, connections

from compliance.models.screening import ScreeningHit
from compliance.operations.lists import load_list
from compliance.operations.screening import decide_hit
from flowlet.audit.trail import Actor, acting
from flowlet.backoffice.people import Person
from flowlet.core.errors import AppError
from flowlet.core.money import Money
from flowlet.demo import (
    analytics,
    bankfiles,
    books,
    cards,
    chain,
    currencies,
    fraud_history,
    kyc,
    monitoring,
    rails,
    reconciling,
    reports,
    statements,
    vendors,
)
from flowlet.demo.people import CLIENT_NAME, CLIENT_SECRET, DESKS, PARTNER_USER, PASSWORD
from flowlet.demo.plan import Act, CustomerPlan, PartnerPlan
from flowlet.demo.story import tell
from flowlet.identity import operations as identity
from flowlet.identity.models import ApiClient, Partner, User
from flowlet.identity.scopes import SCOPES
from payments.models import Payment
from payments.operations import create_payment
from wallets.models import BankAccount, Wallet
from wallets.operations import bank
from wallets.operations import wallets as wallet_operations

Progress = Callable[[str, int, int], None]
_REPORT_EVERY = 25
Parts = tuple[tuple[str, Callable[..., object]], ...]
# What the rooms add once the ninety days were played, each through its own operations, in this order.
PARTS: Parts = (
    ("Checking identities", kyc.fill),
    ("Using cards", cards.fill),
    ("Paying out and topping up", rails.fill),
)
# Those to whom it is all the same whether a model judges payments yet: only now the fraud models may.
LATER_PARTS: Parts = (
    ("Reading the banks' statements", bankfiles.fill),
    ("Settling breaks", reconciling.fill),
    ("Linking banks, chatting", vendors.fill),
    ("Watching for laundering", monitoring.fill),
    ("Reporting to the authority", reports.fill),  # reads the cases
    ("Changing currencies", currencies.fill),
    ("Closing months", books.fill),
    ("Proving the ledger", chain.fill),
    ("Issuing statements", statements.fill),
    ("Adding up figures", analytics.fill),  # last: it reads what the others wrote
)
_SAMPLE = Path(__file__).resolve().parents[2] / "compliance" / "data" / "ofac-sample"


@dataclass(frozen=True, slots=True)
class Loaded:
    """What is there after a load."""

    partners: int
    customers: int
    payments: int
    refused: int


def load(*, now: datetime, scale: float, processes: int, progress: Progress) -> Loaded:
    """
    Fill an empty database with the demo. `now` is where the story ends; `scale` 1 means about 10,000 payments.

    `progress` is called with a step, what is done and the total. With `processes` above 1 the partners are played at
    the same time, each over its own connection; the result is the same.
    """
    progress("Inventing the story", 0, 1)
    plans = tell(now=now, scale=scale)
    progress("Inventing the story", 1, 1)
    with acting(Actor("SYSTEM", "job:load_demo", "Demo")):
        _load_watchlist(now - timedelta(days=91), progress)
        _hire(progress)
        partners = _sign_partners(plans, now)
    total = sum(len(plan.customers) + len(plan.acts) for plan in plans)
    _play_all(plans, partners, total, processes, progress)
    _analyze()
    _decide(now, progress)
    steps = len(PARTS) + len(LATER_PARTS)
    with _learning(now, processes if scale >= 1 else 0) as may_decide:
        _fill(PARTS, now, lambda title, done: progress(title, done, steps))
        may_decide()
        _fill(LATER_PARTS, now, lambda title, done: progress(title, len(PARTS) + done, steps))
        progress("Training fraud models", steps - 1, steps)
    progress("Filling the desks", steps, steps)
    _analyze()
    return Loaded(
        partners=len(plans),
        customers=sum(len(plan.customers) for plan in plans),
        payments=Payment.objects.count(),
        refused=Payment.objects.filter(status="REFUSED").count(),
    )


def _fill(parts: Parts, now: datetime, told: Callable[[str, int], None]) -> None:
    _hurry()
    for done, (title, fill) in enumerate(parts):
        told(title, done)
        fill(now=now)


@contextmanager
def _learning(now: datetime, processes: int) -> Iterator[Callable[[], None]]:
    """
    Train fraud models beside the caller, in a process of its own; with one process afterwards, with none not at all.

    Gives a function to call when models may begin to decide: what was told before must come out the same without.
    """
    if processes <= 1:
        yield lambda: None
        if processes:
            fraud_history.fill(now=now)
        return
    connections.close_all()  # a connection must not be shared with a child process
    context = multiprocessing.get_context("fork")
    with context.Manager() as manager, context.Pool(1) as pool:
        may_decide = manager.Event()
        job = pool.apply_async(_learn_in_child, (now, may_decide))
        yield may_decide.set
        job.get()


def _learn_in_child(now: datetime, may_decide: Event) -> None:
    try:
        _hurry()
        fraud_history.fill(now=now, before_deciding=may_decide.wait)
    finally:
        connections.close_all()


def _hurry() -> None:
    """Let this connection not wait for the disk: that would cost minutes, a crash only the demo's last second."""
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")


def _analyze() -> None:
    """Let the planner know the tables: plans made while they were empty would scan them whole."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _load_watchlist(now: datetime, progress: Progress) -> None:
    progress("Loading the sample watch list", 0, 1)
    files = {name: (_SAMPLE / f"{name}.csv").read_bytes() for name in ("sdn", "alt", "add")}
    load_list(code="ofac-sdn", files=files, now=now)
    progress("Loading the sample watch list", 1, 1)


def _hire(progress: Progress) -> None:
    for done, desk in enumerate(DESKS):
        progress("Hiring staff", done, len(DESKS))
        identity.create_user(email=desk.email, full_name=desk.name, password=PASSWORD, roles=[desk.role])
    progress("Hiring staff", len(DESKS), len(DESKS))


def _sign_partners(plans: list[PartnerPlan], now: datetime) -> dict[str, int]:
    keys = {}
    for plan in plans:
        partner = identity.create_partner(name=plan.name, country=plan.country, now=now - timedelta(days=91))
        demo = plan.slug == "paylark"
        identity.create_api_client(
            partner_id=partner.pk,
            name=CLIENT_NAME if demo else "Production",
            scopes=tuple(SCOPES),
            now=now,
            secret=CLIENT_SECRET if demo else "",
        )
        if demo:
            email, name = PARTNER_USER
            identity.create_user(email=email, full_name=name, password=PASSWORD, partner_id=partner.pk)
        keys[plan.slug] = partner.pk
    return keys


def _play_all(
    plans: list[PartnerPlan], partners: dict[str, int], total: int, processes: int, progress: Progress
) -> None:
    step, done = "Playing ninety days", 0

    def advance(count: int) -> None:
        nonlocal done
        done += count
        progress(step, min(done, total), total)

    if processes <= 1:
        for plan in plans:
            _play(plan, partners[plan.slug], advance)
        return
    connections.close_all()  # a connection must not be shared with a child process
    context = multiprocessing.get_context("fork")
    with context.Manager() as manager, context.Pool(min(processes, len(plans))) as pool:
        inbox = manager.Queue()
        largest_first = sorted(plans, key=lambda plan: -len(plan.acts))
        jobs = [
            pool.apply_async(_play_in_child, (plan, partners[plan.slug], inbox)) for plan in largest_first
        ]
        _follow(jobs, inbox, advance)


def _follow(jobs: Sequence["AsyncResult[None]"], inbox: "Queue[int]", advance: Callable[[int], None]) -> None:
    """Report what the children report; an error in one of them is raised here."""
    while not (all(job.ready() for job in jobs) and inbox.empty()):
        try:
            advance(inbox.get(timeout=0.5))
        except Empty:
            for job in jobs:
                if job.ready():
                    job.get()
    for job in jobs:
        job.get()


def _play_in_child(plan: PartnerPlan, partner_id: int, inbox: "Queue[int]") -> None:
    try:
        _hurry()
        _play(plan, partner_id, inbox.put)
    finally:
        connections.close_all()


def _play(plan: PartnerPlan, partner_id: int, advance: Callable[[int], None]) -> None:
    client = ApiClient.objects.get(partner_id=partner_id)
    with acting(Actor("CLIENT", client.public_id, client.name), partner_id=partner_id):
        player = _Player(plan, partner_id)
        for done, _ in enumerate(player.everything(), 1):
            if done % _REPORT_EVERY == 0:
                advance(_REPORT_EVERY)


class _Player:
    """Plays one partner's plan in order of time."""

    def __init__(self, plan: PartnerPlan, partner_id: int) -> None:
        self.plan, self.partner_id = plan, partner_id
        self.customers: dict[str, int] = {}
        self.wallets: dict[str, Wallet] = {}
        self.banks: dict[str, BankAccount] = {}
        self.number = 0
        self.ops = Person(
            User.objects.get(email=next(desk.email for desk in DESKS if desk.role == "ops"))
        ).actor

    def everything(self) -> Iterator[None]:
        for customer in self.plan.customers:
            self._take_on(customer)
            yield
        for planned in self.plan.wallets:
            self._open(planned.key)
        for act in self.plan.acts:
            self._do(act)
            yield

    def _take_on(self, plan: CustomerPlan) -> None:
        customer = identity.create_customer(
            partner_id=self.partner_id,
            kind=plan.kind,
            country=plan.country,
            nationality=plan.country if plan.kind == "PERSON" else "",
            given_name=plan.given,
            family_name=plan.family,
            legal_name=plan.legal,
            birth_date=plan.birth_date,
            email=plan.email,
            phone=plan.phone,
            reference=plan.reference,
            tier=plan.tier,
            now=plan.at,
        )
        self.customers[plan.reference] = customer.pk

    def _open(self, key: str) -> None:
        plan = next(wallet for wallet in self.plan.wallets if wallet.key == key)
        customer_id = self.customers[plan.customer]
        self.wallets[key] = wallet_operations.open_wallet(
            customer_id=customer_id, currency=plan.currency, name=plan.name, purpose=plan.purpose, now=plan.at
        )
        self.banks[key] = bank.add_bank_account(
            customer_id=customer_id,
            iban=plan.iban,
            currency=plan.currency,
            balance_minor=plan.bank_minor,
            now=plan.at,
        )

    def _do(self, act: Act) -> None:
        self.number += 1
        if act.verb == "PAY":
            create_payment(
                partner_id=self.partner_id,
                payer_wallet_id=self.wallets[act.wallet].public_id,
                payee_wallet_id=self.wallets[act.other].public_id,
                amount=Money(act.minor, self.wallets[act.wallet].currency),
                description=act.text,
                idempotency_key=f"{self.plan.slug}-{self.number:06d}",
                now=act.at,
                fraud_check=None,
            )
        elif act.verb in ("DEPOSIT", "WITHDRAW"):
            move = bank.deposit if act.verb == "DEPOSIT" else bank.withdraw
            move(
                wallet_id=self.wallets[act.wallet].pk,
                bank_account_id=self.banks[act.wallet].pk,
                amount=Money(act.minor, self.wallets[act.wallet].currency),
                idempotency_key=f"{self.plan.slug}-{self.number:06d}",
                now=act.at,
            )
        elif act.verb == "FREEZE_BY_PARTNER":
            wallet_operations.freeze_wallet(
                wallet_id=self.wallets[act.wallet].pk, reason_code="LOST_ACCESS", by="PARTNER", now=act.at
            )
        else:
            with acting(self.ops, partner_id=self.partner_id):
                self._stop(act)

    def _stop(self, act: Act) -> None:
        """Do what a member of staff does about a wallet or its owner."""
        wallet = self.wallets[act.wallet]
        if act.verb == "FREEZE_WALLET":
            wallet_operations.freeze_wallet(
                wallet_id=wallet.pk,
                reason_code="SUSPECTED_FRAUD",
                note="Three log-ins from new devices within an hour; the customer cannot be reached.",
                now=act.at,
            )
        elif act.verb == "UNFREEZE_WALLET":
            wallet_operations.unfreeze_wallet(
                wallet_id=wallet.pk,
                reason_code="CUSTOMER_CONFIRMED",
                note="Called back on the known number; new phone confirmed.",
                now=act.at,
            )
        elif act.verb == "FREEZE_CUSTOMER":
            identity.freeze_customer(
                customer_id=wallet.customer_id,
                reason_code="COURT_ORDER",
                note="Order of the district court, file 14 C 220.",
                now=act.at,
            )
        else:
            identity.place_restriction(
                customer_id=wallet.customer_id,
                kind="NO_IN",
                source="OPS",
                reason_code="SUSPECTED_FRAUD",
                note="Unusual credits; incoming money stopped until the customer explains them.",
                now=act.at,
            )


def _decide(now: datetime, progress: Progress) -> None:
    """Let officers decide on the older hits: most are somebody else, one is escalated, one is true."""
    hits = list(ScreeningHit.objects.filter(status="OPEN").order_by("opened_at", "pk"))
    people = {
        desk.role: User.objects.get(email=desk.email) for desk in DESKS if desk.role in ("officer", "lead")
    }
    decided = hits[: len(hits) * 6 // 10]
    for done, hit in enumerate(decided):
        progress("Deciding on older hits", done, len(decided))
        role, outcome, reason, note = _decision(done)
        with acting(Person(people[role]).actor), _told_if_refused(hit):
            decide_hit(
                hit_id=hit.public_id,
                outcome=outcome,
                reason_code=reason,
                note=note,
                now=min(now, hit.opened_at + timedelta(hours=2 + done % 5)),
            )
    progress("Deciding on older hits", len(decided), len(decided))


def _decision(number: int) -> tuple[str, str, str, str]:
    if number == 1:
        return "lead", "TRUE_MATCH", "SAME_FACTS", "Birth date and place agree with the entry; see the file."
    if number == 2:  # noqa: PLR2004 - the third of them
        return "officer", "ESCALATED", "NEEDS_DOCUMENTS", "Asked the partner for a copy of the passport."
    reasons = ("BIRTH_DATE_DIFFERS", "DIFFERENT_PERSON", "COMMON_NAME")
    return "officer", "FALSE_POSITIVE", reasons[number % len(reasons)], ""


@contextmanager
def _told_if_refused(hit: ScreeningHit) -> Iterator[None]:
    """Name the hit when a decision of the story is refused: then the story and the rules have drifted apart."""
    try:
        yield
    except AppError as refusal:
        raise RuntimeError(
            f"the story's decision on {hit.public_id} was refused: {refusal.code}"
        ) from refusal


def is_empty() -> bool:
    """Tell whether nobody is there yet."""
    return not Partner.objects.exists()
