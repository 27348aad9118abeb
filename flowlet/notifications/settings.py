"""What a partner has decided about messages and codes to its customers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from flowlet.audit import trail
from flowlet.core.money import Money
from flowlet.identity.models import Partner
from flowlet.notifications.models import CodeThreshold, PartnerSetting


@dataclass(frozen=True, slots=True)
class MessageSettings:
    """`code_from` holds, by currency, the amount in minor units from which on a payment needs a code."""

    payment_messages: bool
    code_from: Mapping[str, int]


def get_settings(partner_id: int) -> MessageSettings:
    """Return a partner's settings; without any, nothing is sent and no code is asked for."""
    rows = CodeThreshold.objects.filter(partner_id=partner_id).order_by("currency")
    return MessageSettings(writes_on_payments(partner_id), dict(rows.values_list("currency", "amount_minor")))


def writes_on_payments(partner_id: int) -> bool:
    """Tell whether a partner's customers are written to about their payments."""
    return PartnerSetting.objects.filter(partner_id=partner_id, payment_messages=True).exists()


def wants_code(*, partner_id: int, amount: Money) -> bool:
    """Tell whether a partner wants a code for a payment of this amount."""
    return CodeThreshold.objects.filter(
        partner_id=partner_id, currency=amount.currency, amount_minor__lte=amount.minor
    ).exists()


@transaction.atomic
def change_settings(
    *, partner_id: int, payment_messages: bool, code_from: Mapping[str, int], now: datetime
) -> MessageSettings:
    """
    Replace a partner's settings as a whole and return them; amounts in minor units.

    :raises UnknownCurrency: if a currency is not in ISO 4217
    :raises InvalidAmount: if an amount is out of range
    """
    wanted = {currency: Money(minor, currency).minor for currency, minor in code_from.items()}
    before = get_settings(partner_id)
    PartnerSetting.objects.update_or_create(
        partner_id=partner_id, defaults={"payment_messages": payment_messages, "changed_at": now}
    )
    rows = CodeThreshold.objects.filter(partner_id=partner_id)
    rows.exclude(currency__in=wanted).delete()
    for currency, minor in wanted.items():
        rows.update_or_create(partner_id=partner_id, currency=currency, defaults={"amount_minor": minor})
    trail.record(
        action="message_settings.change",
        object_type="partner",
        object_id=Partner.objects.values_list("public_id", flat=True).get(pk=partner_id),
        changes={
            "payment_messages": [before.payment_messages, payment_messages],
            "code_from": [dict(before.code_from), wanted],
        },
        partner_id=partner_id,
    )
    return get_settings(partner_id)
