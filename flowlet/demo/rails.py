"""
Money from and to outside, and payments that wait for a look: what the story of wallets does not tell.

What a vendor answers is told here instead of asked for, so that the demo loads without one; everything else is done by
the operations of the house. Deterministic, and to be called once, after the story was played.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import F

from flowlet.audit.trail import Actor, acting
from flowlet.core.money import Money
from flowlet.core.outcomes import Answer, Outcome
from flowlet.identity.models import ApiClient
from payments.choices import PaymentStatus
from payments.models import Payment, Refund
from payments.operations import create_payment
from payments.outside.payouts import create_payout
from payments.outside.refunds import refund_payment
from payments.outside.settling import CHECK_S, settle_attempt, settle_refund
from payments.outside.top_ups import create_top_up
from wallets.models import BankAccount, Wallet

_PAYOUTS, _TOP_UPS, _GIVERS = 14, 9, 11
_TO_OWN = ("Takings of the week", "Takings of the day")
_TO_PEOPLE = ("Refund of a booking", "Commission", "Expenses paid back")
_CENTS = 100
# Days after which nobody asks a vendor any more whether a bank has sent money back: no vendor knows of these payouts.
_PAST_RETURNS = 11


def fill(*, now: datetime) -> dict[str, int]:
    """Add payouts in every state, top-ups with a refund, and held payments; return how many payments of each status."""
    made = [*_payouts(now), *_top_ups(now), *_many_pay_one(now)]
    counts: dict[str, int] = {}
    for payment in Payment.objects.filter(pk__in=[payment.pk for payment in made]):
        counts[payment.status] = counts.get(payment.status, 0) + 1
    return counts


def _usable(kind: str, minor: int, now: datetime) -> list[Wallet]:
    """Return wallets of active customers of a kind that can spend so much; in an order that every load shares."""
    rows = Wallet.objects.filter(
        customer__kind=kind,
        status="ACTIVE",
        customer__restrictions__isnull=True,
        created_at__lte=now - timedelta(days=30),
        currency__in=("EUR", "USD", "GBP", "CHF"),
        account__balance__posted__gte=F("account__balance__held") + minor,
    )
    if kind == "BUSINESS":
        rows = rows.exclude(customer__tier="BASIC")  # whose limits are below what is paid out here
    return list(
        rows.select_related("customer").order_by(
            "partner__name", "customer__reference", "currency", "purpose"
        )
    )


def _as_client(partner_id: int) -> Actor:
    client = ApiClient.objects.get(partner_id=partner_id)
    return Actor("CLIENT", client.public_id, client.name)


def _answer(payment: Payment, outcome: Outcome, at: datetime, code: str = "") -> None:
    attempt = payment.attempts.get()
    reference = "" if outcome is Outcome.UNKNOWN else f"po_demo_{payment.public_id[-12:].lower()}"
    settle_attempt(attempt_id=attempt.pk, answer=Answer(outcome, reference, code), now=at)


def _payouts(now: datetime) -> Iterator[Payment]:
    """Pay out to businesses' own banks and to people's; one comes back, one fails, one stays unknown."""
    people = list(
        BankAccount.objects.filter(customer__kind="PERSON", status="ACTIVE")
        .order_by("partner__name", "customer__reference", "currency")
        .select_related("customer")
    )
    for number, wallet in enumerate(_usable("BUSINESS", 60_000, now)[:_PAYOUTS]):
        own = BankAccount.objects.filter(customer_id=wallet.customer_id, currency=wallet.currency)
        others = [
            account
            for account in people
            if (account.partner_id, account.currency) == (wallet.partner_id, wallet.currency)
        ]
        to_own = number % 2 == 0 or not others
        account = own.first() if to_own else others[number % len(others)]
        if account is None:
            continue
        unknown = number == 2  # noqa: PLR2004 - the third of them
        at = now - (
            timedelta(days=8) if unknown else timedelta(days=_PAST_RETURNS + number, minutes=97 * number)
        )
        texts = _TO_OWN if to_own else _TO_PEOPLE
        with acting(_as_client(wallet.partner_id), partner_id=wallet.partner_id):
            payment = create_payout(
                partner_id=wallet.partner_id,
                wallet_id=wallet.public_id,
                bank_account_id=account.public_id,
                amount=Money((12_000 + 3_417 * number) % 55_000 + 1_000, wallet.currency),
                description=texts[number % len(texts)],
                idempotency_key=f"payout-{number:03d}",
                now=at,
                fraud_check=None,
            )
        if payment.status == PaymentStatus.PROCESSING:
            _end(payment, "unknown" if unknown else {1: "fails", 4: "returns"}.get(number, "paid"), at, now)
        yield payment


def _end(payment: Payment, how: str, at: datetime, now: datetime) -> None:
    with acting(Actor("SYSTEM", "job:payments.check_attempts")):
        if how == "unknown":
            # Nobody answers as often as we ask, until it is for a person to look.
            for seconds in (0, *CHECK_S):
                at += timedelta(seconds=seconds)
                _answer(payment, Outcome.UNKNOWN, min(at, now), "timed_out")
            return
        _answer(payment, Outcome.ACCEPTED, at + timedelta(seconds=3))
        if how == "fails":
            _answer(payment, Outcome.REFUSED, at + timedelta(minutes=9), "no_account")
            return
        for told_at in (at + timedelta(minutes=4), now):  # the second time, it is too old to be asked about
            _answer(payment, Outcome.DONE, told_at)
        if how == "returns":
            _answer(payment, Outcome.REFUSED, min(now, at + timedelta(hours=11)), "account_closed")


def _top_ups(now: datetime) -> Iterator[Payment]:
    """Collect by card; one is declined, two are refunded, one of these in part."""
    for number, wallet in enumerate(_usable("PERSON", 1, now)[:_TOP_UPS]):
        at = now - timedelta(hours=2 + 3 * number, minutes=11 * number)
        with acting(_as_client(wallet.partner_id), partner_id=wallet.partner_id):
            payment = create_top_up(
                partner_id=wallet.partner_id,
                wallet_id=wallet.public_id,
                payment_method="pm_card_visa",
                amount=Money((5 + number) * 10 * _CENTS, wallet.currency),
                idempotency_key=f"top-up-{number:03d}",
                now=at,
            )
        if payment.status != PaymentStatus.PROCESSING:
            yield payment
            continue
        with acting(Actor("SYSTEM", "job:payments.send_attempts")):
            outcome, code = (Outcome.REFUSED, "card_declined") if number == 2 else (Outcome.DONE, "")  # noqa: PLR2004
            _answer(payment, outcome, at + timedelta(seconds=3), code)
        if number in (0, 3):
            _refund(payment, None if number else 2_000, at + timedelta(minutes=40))
        yield payment


def _refund(payment: Payment, minor: int | None, at: datetime) -> None:
    with acting(_as_client(payment.partner_id), partner_id=payment.partner_id):
        refund: Refund = refund_payment(
            partner_id=payment.partner_id,
            payment_id=payment.public_id,
            amount_minor=minor,
            reason="Topped up by mistake" if minor is None else "Too much",
            idempotency_key=f"refund-{payment.public_id}",
            now=at,
        )
    answer: Answer[None] = Answer(Outcome.DONE, f"re_demo_{refund.public_id[-12:].lower()}")
    with acting(Actor("SYSTEM", "job:payments.send_attempts")):
        settle_refund(refund_id=refund.pk, answer=answer, now=at + timedelta(seconds=4))


def _many_pay_one(now: datetime) -> Iterator[Payment]:
    """Let many strangers pay one person within an hour: the rules of fraud hold the last of them for a look."""
    for partner_id, wallets in _by_partner(_usable("PERSON", 6_000, now)).items():
        payee, *givers = wallets
        if len(givers) < _GIVERS:
            continue
        with acting(_as_client(partner_id), partner_id=partner_id):
            for number, giver in enumerate(givers[:_GIVERS]):
                yield create_payment(
                    partner_id=partner_id,
                    payer_wallet_id=giver.public_id,
                    payee_wallet_id=payee.public_id,
                    amount=Money((18 + number) * 2 * _CENTS, payee.currency),
                    description="Flat deposit",
                    idempotency_key=f"deposit-{payee.public_id}-{number:02d}",
                    now=now - timedelta(minutes=55 - 4 * number),
                )
        return


def _by_partner(wallets: list[Wallet]) -> dict[int, list[Wallet]]:
    """Return one wallet in euros per customer, by partner."""
    found: dict[int, dict[int, Wallet]] = {}
    for wallet in wallets:
        if wallet.currency == "EUR":
            found.setdefault(wallet.partner_id, {}).setdefault(wallet.customer_id, wallet)
    return {partner_id: list(rows.values()) for partner_id, rows in found.items()}
