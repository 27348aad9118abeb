"""Cards of the demo's customers over three weeks: payments approved and declined for every reason, clearings of every kind."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from cards.choices import CardKind, CloseReason, EventKind, FreezeSource
from cards.models.authorizations import CardAuthorization
from cards.models.issuing import Card
from cards.operations.authorizing import Asked, authorize
from cards.operations.following import Message, expire_due, reverse, take_message
from cards.operations.freezing import freeze_card
from cards.operations.issuing import activate_card, close_card, issue_card, set_controls
from flowlet.audit.trail import Actor, acting
from flowlet.backoffice.people import Person
from flowlet.core.currencies import EXPONENTS
from flowlet.core.money import Money
from flowlet.demo.people import DESKS
from flowlet.identity.models import ApiClient, Restriction, User
from wallets.models import Wallet

DAYS = 21
_SEED = 9_999
_CARDS = 20
_PER_CARD = 4
_WORTH_MIN = 150  # whole units a wallet must hold to be given a card


@dataclass(frozen=True, slots=True)
class _Merchant:
    """Where one pays: name, category (ISO 18245), country, channel, and a usual price in whole euros."""

    name: str
    mcc: str
    country: str
    channel: str
    price: int


_MERCHANTS = (
    _Merchant("Marlow Groceries", "5411", "DE", "PRESENT", 34),
    _Merchant("Corner Books", "5942", "NO", "ECOMMERCE", 23),
    _Merchant("Bistro Anton", "5812", "FR", "PRESENT", 41),
    _Merchant("Tramway Tickets", "4111", "NL", "ECOMMERCE", 9),
    _Merchant("Nordlys Outdoor", "5941", "NO", "ECOMMERCE", 88),
    _Merchant("Apotheke am Markt", "5912", "DE", "PRESENT", 17),
    _Merchant("Kino Rialto", "7832", "IT", "PRESENT", 14),
    _Merchant("Fernweh Hotels", "7011", "CH", "ECOMMERCE", 120),
    _Merchant("Fuel Stop 24", "5541", "GB", "PRESENT", 52),
    _Merchant("Lumen Streaming", "4899", "US", "ECOMMERCE", 12),
)
_CASINO = _Merchant("Lucky Harbour Casino", "7995", "MT", "ECOMMERCE", 60)


@dataclass(slots=True)
class _Act:
    """One thing that happens, and when."""

    at: datetime
    do: Callable[[datetime], object]


def fill(*, now: datetime) -> dict[str, int]:
    """
    Give cards to customers who have money and let them be used until `now`; the same for the same database.

    Call it after the ninety days were played, once. Returns how many cards and authorisations there are.
    """
    with connection.cursor() as cursor:
        # A crash may cost the demo its last second; waiting for the disk at each commit would cost many.
        cursor.execute("SET synchronous_commit = off")
    _Player(now).play()
    with connection.cursor() as cursor:
        cursor.execute("RESET synchronous_commit")
    return {"cards": Card.objects.count(), "authorizations": CardAuthorization.objects.count()}


class _Player:
    """Invents the acts, sorts them by time and plays them through the operations of the house."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.rng = random.Random(_SEED)  # noqa: S311 - a story, not a secret
        self.acts: list[_Act] = []
        self.number = 0
        self.clients = {client.partner_id: client for client in ApiClient.objects.order_by("-pk")}
        self.ops = Person(
            User.objects.get(email=next(desk.email for desk in DESKS if desk.role == "ops"))
        ).actor

    def play(self) -> None:
        for place, wallet in enumerate(_wallets()):
            self._plan(place, wallet)
        for act in sorted(self.acts, key=lambda act: act.at):
            act.do(act.at)
        expire_due(now=self.now)

    def _plan(self, place: int, wallet: Wallet) -> None:
        issued = self.now - timedelta(days=DAYS, hours=self.rng.randint(1, 20))
        kind = CardKind.PHYSICAL if place % 3 == 2 else CardKind.VIRTUAL  # noqa: PLR2004 - every third
        client = self.clients[wallet.partner_id]
        with acting(Actor("CLIENT", client.public_id, client.name), partner_id=wallet.partner_id):
            card = issue_card(
                wallet_id=wallet.pk, kind=kind, now=issued, idempotency_key=f"demo-card-{wallet.public_id}"
            )
        holder = _Holder(self, card, wallet, Actor("CLIENT", client.public_id, client.name))
        _STORIES[place](holder) if place < len(_STORIES) else holder.live()

    def add(self, at: datetime, do: Callable[[datetime], object]) -> None:
        self.acts.append(_Act(min(at, self.now - timedelta(minutes=3)), do))

    def reference(self) -> str:
        self.number += 1
        return f"{48_000_000_000 + self.number * 7_919}"


class _Holder:
    """One card and its holder's days."""

    def __init__(self, player: _Player, card: Card, wallet: Wallet, client: Actor) -> None:
        self.player, self.card, self.wallet, self.client = player, card, wallet, client
        self.rng = player.rng

    def live(self) -> None:
        """Activate the card, pay now and then, be settled a day or two later."""
        if self.card.kind == CardKind.PHYSICAL:
            self._act(20, lambda at: activate_card(card_id=self.card.pk, now=at))
        for _ in range(_PER_CARD):
            self.pay(self.rng.choice(_MERCHANTS), days_ago=self.rng.uniform(0.05, 19))

    def pay(self, merchant: _Merchant, *, days_ago: float, price: float = 0, end: str = "CLEAR") -> None:
        """Ask at a merchant; `end` is what follows: CLEAR, TIP, MORE, PARTS, REFUND, REVERSE or '' for nothing yet."""
        minor = self.minor(price or merchant.price * self.rng.uniform(0.6, 1.6))
        reference = self.player.reference()
        asked = self._asked(merchant, minor, reference)
        self._act(days_ago, lambda at: authorize(card_id=self.card.pk, asked=asked(at), now=at))
        later = days_ago - self.rng.uniform(0.8, 2.2)
        if later > 0:
            self._end(end, reference, minor, merchant, later)

    def tell(
        self, kind: str, minor: int, days_ago: float, merchant: _Merchant, *, final: bool = True, of: str = ""
    ) -> None:
        """Let the network settle something."""
        own = f"7453760{self.player.reference()}{self.rng.randint(10_000, 99_999)}"
        amount = Money(minor, self.wallet.currency)

        def take(at: datetime) -> object:
            if (
                of
                and not CardAuthorization.objects.filter(network_reference=of)
                .exclude(state="DECLINED")
                .exists()
            ):
                return None  # what was declined is not settled
            message = Message(
                kind=EventKind(kind),
                reference=own,
                network_reference=of,
                amount=amount,
                network_time=at,
                final=final,
                merchant_name=merchant.name,
                mcc=merchant.mcc,
                country=merchant.country,
            )
            return take_message(card_id=self.card.pk, message=message, now=at)

        self._act(days_ago, take)

    def freeze(self, source: FreezeSource, reason: str, days_ago: float, note: str = "") -> None:
        """Let somebody stop the card."""
        by = self.player.ops if source == FreezeSource.OPS else self.client

        def stop(at: datetime) -> None:
            freeze_card(card_id=self.card.pk, source=source, reason_code=reason, note=note, now=at)

        self._act(days_ago, stop, by)

    def limit(self, *, per_transaction: int, day: int, month: int, blocked: tuple[str, ...]) -> None:
        """Set limits in whole units of the currency, and categories that are not taken."""

        def put(at: datetime) -> None:
            set_controls(
                card_id=self.card.pk,
                per_transaction_minor=self.minor(per_transaction),
                day_minor=self.minor(day),
                month_minor=self.minor(month),
                mcc_block=blocked,
                now=at,
            )

        self._act(20.5, put)

    def close(self, reason: CloseReason, days_ago: float) -> None:
        """Close the card for good."""
        self._act(days_ago, lambda at: close_card(card_id=self.card.pk, reason=reason, now=at))

    def _end(self, end: str, of: str, minor: int, merchant: _Merchant, days_ago: float) -> None:
        if end in ("CLEAR", "REFUND"):
            self.tell("CLEAR", minor, days_ago, merchant, of=of)
        if end == "REFUND" and days_ago > 1:
            self.tell("REFUND", minor // 2, days_ago - 1, merchant, of=of)
        if end == "TIP":
            self.tell("CLEAR", minor * 112 // 100, days_ago, merchant, of=of)
        if end == "MORE":
            self.tell("CLEAR", minor * 145 // 100, days_ago, merchant, of=of)
        if end == "PARTS":
            self.tell("CLEAR", minor // 3, days_ago, merchant, final=False, of=of)
            self.tell("CLEAR", minor - minor // 3, days_ago / 2, merchant, of=of)
        if end == "REVERSE":
            self._act(days_ago, lambda at: self._reverse(of, minor // 2, at))

    def _reverse(self, of: str, minor: int, at: datetime) -> None:
        row = CardAuthorization.objects.filter(network_reference=of, state="OPEN").first()
        if row is not None:
            amount = Money(minor, row.currency)
            reverse(authorization_id=row.pk, reference=f"{of}-r", amount=amount, now=at)

    def _asked(self, merchant: _Merchant, minor: int, reference: str) -> Callable[[datetime], Asked]:
        amount = Money(minor, self.wallet.currency)
        return lambda at: Asked(
            network_reference=reference,
            amount=amount,
            merchant_amount=amount,
            merchant_name=merchant.name,
            merchant_id=f"M{merchant.mcc}{len(merchant.name):03d}",
            mcc=merchant.mcc,
            country=merchant.country,
            channel=merchant.channel,
            network_time=at,
        )

    def _act(self, days_ago: float, do: Callable[[datetime], object], by: Actor | None = None) -> None:
        def played(at: datetime) -> None:
            with acting(by or self.client, partner_id=self.wallet.partner_id):
                do(at)

        self.player.add(self.player.now - timedelta(days=days_ago), played)

    def minor(self, value: float) -> int:
        """Return about so many euros in minor units of the wallet's currency."""
        return max(1, round(value * self._unit()))

    def money(self) -> float:
        """Return what the wallet had before the card was used, in about so many euros."""
        return self.wallet.account.balance.posted / self._unit()

    def _unit(self) -> int:
        return {"JPY": 160, "KWD": 330}.get(self.wallet.currency, 100)


def _wallets() -> list[Wallet]:
    """Return wallets of people with money whom nothing stops, spread over the partners."""
    stopped = Restriction.objects.filter(lifted_at__isnull=True).values("customer_id")
    rows = (
        Wallet.objects.filter(status="ACTIVE", customer__kind="PERSON", customer__status="ACTIVE")
        .exclude(customer_id__in=stopped)
        .select_related("customer", "account__balance")
        .order_by("pk")
    )
    rich = [
        row for row in rows if row.account.balance.posted - row.account.balance.held >= _floor(row.currency)
    ]
    turn: dict[int, int] = {}
    ranked = []
    for row in rich:
        turn[row.partner_id] = turn.get(row.partner_id, 0) + 1
        ranked.append((turn[row.partner_id], row.pk, row))
    return [row for _, _, row in sorted(ranked, key=lambda entry: entry[:2])][:_CARDS]


def _floor(currency: str) -> int:
    return int(_WORTH_MIN * 10 ** EXPONENTS[currency])


def _stolen(holder: _Holder) -> None:
    holder.live()
    holder.close(CloseReason.STOLEN, 6)
    holder.pay(_MERCHANTS[8], days_ago=5.5)


def _frozen_by_ops(holder: _Holder) -> None:
    holder.live()
    note = "Holder called: four payments abroad that are not theirs. Waiting for the signed form."
    holder.freeze(FreezeSource.OPS, "SUSPECTED_FRAUD", 1.5, note)
    holder.pay(_MERCHANTS[4], days_ago=1.2)
    holder.pay(_MERCHANTS[1], days_ago=0.4)


def _frozen_by_holder(holder: _Holder) -> None:
    holder.live()
    holder.freeze(FreezeSource.CARDHOLDER, "LOST_OR_STOLEN", 2)
    holder.pay(_MERCHANTS[0], days_ago=0.7)


def _limited(holder: _Holder) -> None:
    holder.limit(per_transaction=60, day=80, month=400, blocked=("7995",))
    holder.live()
    holder.pay(_MERCHANTS[4], days_ago=3, price=95)
    holder.pay(_MERCHANTS[0], days_ago=0.5, price=45)
    holder.pay(_MERCHANTS[2], days_ago=0.45, price=50)
    holder.pay(_CASINO, days_ago=2)


def _short_of_money(holder: _Holder) -> None:
    holder.live()
    # Little more than there was: what is far more is stopped as suspicious before the money is looked at.
    holder.pay(_MERCHANTS[7], days_ago=1, price=holder.money() + 5)


def _never_activated(holder: _Holder) -> None:
    holder.pay(_MERCHANTS[5], days_ago=4)


def _odd_clearings(holder: _Holder) -> None:
    holder.live()
    holder.pay(_MERCHANTS[2], days_ago=9, price=40, end="TIP")
    holder.pay(_MERCHANTS[1], days_ago=8, price=20, end="MORE")
    holder.tell("CLEAR", holder.minor(7), 3, _MERCHANTS[9])
    holder.tell("REFUND", holder.minor(15), 2, _MERCHANTS[4])


def _traveller(holder: _Holder) -> None:
    holder.live()
    holder.pay(_MERCHANTS[7], days_ago=12, price=140, end="PARTS")
    holder.pay(_MERCHANTS[4], days_ago=7, price=60, end="REFUND")
    holder.pay(_MERCHANTS[3], days_ago=3, price=18, end="REVERSE")
    holder.pay(_MERCHANTS[9], days_ago=14, price=11, end="")  # never settled: it expires
    holder.pay(_MERCHANTS[6], days_ago=0.2, price=14, end="")


_STORIES: tuple[Callable[[_Holder], None], ...] = (
    _frozen_by_ops,
    _limited,
    _never_activated,
    _odd_clearings,
    _stolen,
    _traveller,
    _short_of_money,
    _frozen_by_holder,
)
