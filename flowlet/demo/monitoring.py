"""Planted patterns: what monitoring finds in the demo, and cases over it in every state."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from schwifty import IBAN

from compliance.models.cases import Case
from compliance.models.monitoring import Alert
from compliance.operations.cases import add_note, put_on_hold, take_case
from compliance.operations.cases_deciding import propose_decision
from compliance.operations.monitoring import run_scenarios
from compliance.operations.monitoring_feed import feed_activities
from flowlet.audit.trail import Actor, acting
from flowlet.backoffice.approvals.operations import approve, reject
from flowlet.backoffice.models import Approval
from flowlet.backoffice.people import Person
from flowlet.core import clock
from flowlet.core.money import Money
from flowlet.demo.people import DESKS
from flowlet.identity import operations as identity
from flowlet.identity.models import ApiClient, Partner, User
from payments.operations import create_payment
from wallets.models import BankAccount, Wallet
from wallets.operations import bank
from wallets.operations.wallets import open_wallet

_EURO = 100
_PAYERS = (
    *("Henrike Stallmann", "Bastiaan Vroegop", "Liva Kronbergs", "Matteo Sanguineti", "Orsolya Fekete"),
    *("Tadeusz Wolanin", "Perrine Lachaume", "Jorun Haldorsen", "Niall Garvey"),
)
_DEPOSITORS = ("Anselm Krautwig", "Dorina Petkova", "Yannick Mertesdorf", "Rosalie Hendrickx", "Ilko Banev")
_MULES = ("Sven Abendroth", "Carla Quintanilha")
_COLLECTOR, _SLEEPER, _TRAVELLER, _FAR = "Marlon Esters", "Gudrun Oberlack", "Philippa Renner", "Thiri Nyunt"


@dataclass(frozen=True, slots=True)
class Filled:
    """What is there after the patterns were planted and worked on."""

    activities: int
    alerts: int
    cases: int


@dataclass(frozen=True, slots=True)
class _Purse:
    wallet: Wallet
    bank_account: BankAccount


def fill(*, now: datetime) -> Filled:
    """
    Plant the patterns at the demo's first partner, let monitoring find them, and work on the cases.

    Needs the partners and the staff of the demo. The movements of the story itself are looked at as well, last.
    """
    partner = Partner.objects.order_by("pk")[0]
    client = ApiClient.objects.filter(partner=partner).order_by("pk")[0]
    begun = clock.now()
    with acting(Actor("CLIENT", client.public_id, client.name), partner_id=partner.pk):
        planter = _Planter(partner, now)
        planter.plant_early()
    _watch(begun, now - timedelta(days=6))
    with acting(Actor("CLIENT", client.public_id, client.name), partner_id=partner.pk):
        planter.plant_late()
    _watch(begun, now - timedelta(days=1, hours=2))
    activities = feed_activities()
    with acting(_job()):
        run_scenarios(now=now - timedelta(minutes=20))
    _work(now)
    return Filled(activities, Alert.objects.count(), Case.objects.count())


def _job() -> Actor:
    return Actor("SYSTEM", "job:compliance.run_scenarios")


def _watch(since: datetime, at: datetime) -> None:
    with acting(_job()):
        feed_activities(since=since)
        run_scenarios(now=at)


class _Planter:
    """Takes customers on and moves their money, as the partner does, at the days of the pattern."""

    def __init__(self, partner: Partner, now: datetime) -> None:
        self.partner, self.now, self.number = partner, now, 0
        self.payers = [self._purse(name, 88 - at, 3_000) for at, name in enumerate(_PAYERS)]

    def plant_early(self) -> None:
        """Plant what was found days ago: cash below the limit, and a wallet that others' money passes."""
        for number, name in enumerate(_DEPOSITORS[:3]):
            self._structure(name, first_day=16 - number, count=3 + number)
        self._pass(_MULES[0], day=9)

    def plant_late(self) -> None:
        """Plant what is fresh: more cash, a mule, a collection account, a sleeper, a country on the list."""
        for number, name in enumerate(_DEPOSITORS[3:]):
            self._structure(name, first_day=9 - number, count=4)
        self._pass(_MULES[1], day=4)
        collector = self._purse(_COLLECTOR, 80, 0)
        for at, payer in enumerate(self.payers):
            self._pay(payer.wallet, collector.wallet, 280 + 5 * at, 6 - at * 0.4)
        sleeper = self._purse(_SLEEPER, 85, 40, alive=False)
        self._deposit(sleeper, 6_400, 3)
        self._withdraw(sleeper, 6_100, 2)
        far = self._purse(_FAR, 40, 0, country="MM")
        traveller = self._purse(_TRAVELLER, 60, 2_500)
        for day in (5.0, 3.5):
            self._pay(traveller.wallet, far.wallet, 640, day)

    def _structure(self, name: str, *, first_day: int, count: int) -> None:
        purse = self._purse(name, 75, 200)
        for at in range(count):
            made = bank.deposit_cash(
                wallet_id=purse.wallet.pk,
                location=f"Agent {17 + at % 2}, Leipzig",
                amount=Money((8_950 - 270 * at) * _EURO, "EUR"),
                idempotency_key=None,
                now=self._at(first_day - at * 1.5),
            )
            _check(made.status, made.refusal_code)

    def _pass(self, name: str, *, day: float) -> None:
        purse = self._purse(name, 70, 60)
        for at, payer in enumerate(self.payers[:3]):
            self._deposit(payer, 2_600, day + 0.6)
            self._pay(payer.wallet, purse.wallet, 2_250 + 40 * at, day + 0.4 - at / 10)
        self._withdraw(purse, 6_700, day - 0.2)

    def _purse(
        self, name: str, age_days: float, euros: int, country: str = "DE", *, alive: bool = True
    ) -> _Purse:
        given, _, family = name.partition(" ")
        at = self._at(age_days)
        customer = identity.create_customer(
            partner_id=self.partner.pk,
            kind="PERSON",
            given_name=given,
            family_name=family,
            country=country,
            nationality=country,
            tier="PLUS",
            now=at,
        )
        wallet = open_wallet(
            customer_id=customer.pk, currency="EUR", purpose="MAIN", name="Everyday EUR", now=at
        )
        self.number += 1
        iban = IBAN.generate("DE", bank_code="37040044", account_code=f"{5_320_130_00 + self.number:010}")
        account = bank.add_bank_account(
            customer_id=customer.pk, iban=iban.compact, currency="EUR", balance_minor=5_000_000, now=at
        )
        purse = _Purse(wallet, account)
        if euros:
            self._deposit(purse, euros, age_days - 0.1)
        for day in range(int(age_days) - 28, 20, -28) if alive else ():
            self._deposit(purse, 55, day)
        return purse

    def _deposit(self, purse: _Purse, euros: int, day: float) -> None:
        self._bank(bank.deposit, purse, euros, day)

    def _withdraw(self, purse: _Purse, euros: int, day: float) -> None:
        self._bank(bank.withdraw, purse, euros, day)

    def _bank(self, operation: Callable[..., object], purse: _Purse, euros: int, day: float) -> None:
        made = operation(
            wallet_id=purse.wallet.pk,
            bank_account_id=purse.bank_account.pk,
            amount=Money(euros * _EURO, "EUR"),
            idempotency_key=None,
            now=self._at(day),
        )
        _check(made.status, made.refusal_code)  # type: ignore[attr-defined]

    def _pay(self, payer: Wallet, payee: Wallet, euros: int, day: float) -> None:
        made = create_payment(
            partner_id=self.partner.pk,
            payer_wallet_id=payer.public_id,
            payee_wallet_id=payee.public_id,
            amount=Money(euros * _EURO, "EUR"),
            now=self._at(day),
            fraud_check=None,
        )
        _check(made.status, made.refusal_code)

    def _at(self, days_ago: float) -> datetime:
        return self.now - timedelta(days=days_ago)


def _check(status: str, refusal_code: str) -> None:
    """Fail loudly when a planted movement is refused: then the patterns and the rules have drifted apart."""
    if status != "COMPLETED":
        raise RuntimeError(f"a planted movement was refused: {refusal_code}")


def _work(now: datetime) -> None:
    """Let officer and lead bring the older cases into every state; the rest waits."""
    people = {desk.role: User.objects.get(email=desk.email) for desk in DESKS}
    desk = _Desk(people["officer"], people["lead"], now)
    desk.close(
        _DEPOSITORS[0], "CONFIRMED", "PATTERN_UNEXPLAINED", "Two agents, no business, no source shown.", 62
    )
    desk.close(
        _DEPOSITORS[1], "REFUTED", "SOURCE_PROVEN", "Sold a car in parts; contract and plates seen.", 50
    )
    desk.close(_DEPOSITORS[2], "INCONCLUSIVE", "NO_ANSWER", "Asked twice through the partner.", 44)
    desk.send_back(_MULES[0], "REFUTED", "USUAL_BUSINESS", "He says that he sold furniture.", 40)
    desk.propose(
        _MULES[1], "CONFIRMED", "FALSE_ANSWERS", "The three payers do not know what they paid for.", 5
    )
    desk.propose(
        _COLLECTOR, "REFUTED", "USUAL_BUSINESS", "Collected for a class reunion; list of guests seen.", 3
    )
    desk.hold(_SLEEPER, "Asked the partner where the money comes from; answer promised for Thursday.", 9)
    desk.take(_TRAVELLER, 2)


class _Desk:
    """What two people do about a case; times are in hours before the end of the story."""

    def __init__(self, officer: User, lead: User, now: datetime) -> None:
        self.officer, self.lead, self.now = officer, lead, now

    def take(self, name: str, hours: float) -> Case:
        case = Case.objects.get(customer__name=name)
        with acting(Person(self.officer).actor):
            return take_case(case_id=case.public_id, user_id=self.officer.pk, now=self._at(hours + 1.5))

    def hold(self, name: str, note: str, hours: float) -> None:
        case = self.take(name, hours)
        with acting(Person(self.officer).actor):
            put_on_hold(case_id=case.public_id, user_id=self.officer.pk, note=note, now=self._at(hours))

    def propose(self, name: str, outcome: str, reason: str, note: str, hours: float) -> Approval:
        case = self.take(name, hours)
        with acting(Person(self.officer).actor):
            add_note(
                case_id=case.public_id,
                user_id=self.officer.pk,
                note="Went through all movements since the account was opened.",
                now=self._at(hours + 0.5),
            )
            done = propose_decision(
                case_id=case.public_id,
                user_id=self.officer.pk,
                outcome=outcome,
                reason_code=reason,
                note=note,
                now=self._at(hours),
            )
        if done.approval is None:
            raise RuntimeError(f"the proposal on {done.public_id} made no request")
        return done.approval

    def close(self, name: str, outcome: str, reason: str, note: str, hours: float) -> None:
        request = self.propose(name, outcome, reason, note, hours)
        with acting(Person(self.lead).actor):
            done = approve(
                approval_id=request.pk,
                checker_id=self.lead.pk,
                seen_hash=request.content_hash,
                note="Agreed.",
                now=self._at(hours - 3),
            )
        _check({"EXECUTED": "COMPLETED"}.get(done.status, ""), done.status)

    def send_back(self, name: str, outcome: str, reason: str, note: str, hours: float) -> None:
        request = self.propose(name, outcome, reason, note, hours)
        with acting(Person(self.lead).actor):
            reject(
                approval_id=request.pk,
                checker_id=self.lead.pk,
                seen_hash=request.content_hash,
                note="Ask for the adverts and the receipts first.",
                now=self._at(hours - 4),
            )

    def _at(self, hours: float) -> datetime:
        return self.now - timedelta(hours=hours)


def planted() -> Sequence[str]:
    """Return the names of the customers about whom monitoring must find something."""
    return (*_DEPOSITORS, *_MULES, _COLLECTOR, _SLEEPER, _TRAVELLER)
