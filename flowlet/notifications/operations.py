"""Writing to people: queue in the cause's own transaction, send in three steps, settle, follow up."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.utils.module_loading import import_string

from flowlet.core.messages import DeliveryReport, DeliveryState, Sms, SmsBackend
from flowlet.core.outcomes import Answer, Outcome
from flowlet.identity.models import Customer
from flowlet.notifications import queries, texts
from flowlet.notifications.choices import Channel, MessageKind, MessageStatus, OptOutSource
from flowlet.notifications.models import Message, Preference

PER_HOUR_MAX = 10
# Seconds until a message that was not sent is tried again, and until an unknown one is looked up; then it ends.
RETRY_S = (15, 60, 300, 1800, 7200)
# A worker that says nothing for so long has died: whether it sent is unknown.
SILENT_S = 60
# Which states a later word may still change; DELIVERED and what was never sent are final.
_OPEN = (MessageStatus.SENDING, MessageStatus.UNKNOWN, MessageStatus.SENT)


def queue_sms(
    *,
    customer_id: int,
    cause: str,
    template: str,
    values: Mapping[str, str],
    language: str = "en",
    now: datetime,
) -> Message:
    """
    Queue one text message in the caller's transaction and return it; the same cause gives the same message.

    `cause` names what happened, such as `payment.completed:pay_…`; a message that must not go (no number, opted out,
    too many this hour) is kept as SUPPRESSED with the reason. `values` fill the words and hold no card number.

    :raises KeyError: if the template is unknown or a value for its words is missing
    """
    customer = Customer.objects.get(pk=customer_id)
    kind = texts.KINDS[template]
    words = queries.get_text(code=template, language=language, channel=Channel.SMS)
    reason = _suppressed_for(customer, kind, now)
    message = Message(
        cause=cause,
        customer=customer,
        channel=Channel.SMS,
        kind=kind,
        template=template,
        template_version=words.version,
        language=words.language,
        to=customer.phone or "",
        text=texts.fill(words.text, values),
        status=MessageStatus.SUPPRESSED if reason else MessageStatus.QUEUED,
        reason=reason,
        queued_at=now,
        done_at=now if reason else None,
        next_step_at=None if reason else now,
    )
    Message.objects.bulk_create([message], ignore_conflicts=True)
    return Message.objects.get(cause=cause, customer=customer, channel=Channel.SMS)


def opt_out(
    *, customer_id: int, kind: MessageKind, now: datetime, source: OptOutSource = OptOutSource.PERSON
) -> None:
    """Note that a person wants no text messages of a kind; from a carrier it means none at all."""
    Preference.objects.get_or_create(
        customer_id=customer_id,
        channel=Channel.SMS,
        kind=kind,
        source=source,
        defaults={"opted_out_at": now},
    )


def opt_in(*, customer_id: int, kind: MessageKind) -> None:
    """Take the person's own opt-out back; what a carrier said stays until the carrier takes it back."""
    Preference.objects.filter(
        customer_id=customer_id, channel=Channel.SMS, kind=kind, source=OptOutSource.PERSON
    ).delete()


_CLAIM = """
UPDATE notifications_message SET next_step_at = %(later)s, status = CASE
        WHEN status = 'QUEUED' THEN 'SENDING' WHEN status = 'SENDING' THEN 'UNKNOWN' ELSE status END,
    attempts = attempts + 1, sending_at = CASE WHEN status = 'QUEUED' THEN %(now)s ELSE sending_at END
WHERE id IN (
    SELECT id FROM notifications_message
    WHERE next_step_at <= %(now)s ORDER BY next_step_at, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
) RETURNING id
"""


def send_due(*, now: datetime, limit: int = 100) -> int:
    """
    Send what is queued, look up what is unknown, and return how many messages were taken.

    Three steps for each: SENDING is committed, the carrier is called outside any transaction, the answer is settled.
    A message whose worker died in between is looked up, never sent again.
    """
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        later = now + timedelta(seconds=SILENT_S)
        cursor.execute(_CLAIM, {"now": now, "later": later, "limit": limit})
        ids = [row[0] for row in cursor.fetchall()]
    backend: SmsBackend = import_string(settings.SMS_BACKEND)()
    for message in Message.objects.filter(pk__in=ids).order_by("pk"):
        sms = Sms(message.to, message.text, message.public_id)
        if message.status == MessageStatus.SENDING:
            _settle(message, backend.send(sms), now)
        else:
            since = (message.sending_at or message.queued_at) - timedelta(seconds=SILENT_S)
            _settle_look_up(message, backend.find(sms, since=since), now)
    return len(ids)


def receive_report(report: DeliveryReport, now: datetime) -> bool:
    """Apply a carrier's word about a message; True if the message is ours. Reports come twice and in any order."""
    message = Message.objects.filter(public_id=report.our_reference).first()
    if message is None:
        return False
    _apply(message, report.state, now)
    return True


def _settle(message: Message, answer: Answer[DeliveryState], now: datetime) -> None:
    if answer.outcome is Outcome.NOT_SENT:
        _try_later(message, MessageStatus.QUEUED, answer.code, now)
    elif answer.outcome is Outcome.UNKNOWN:
        _try_later(message, MessageStatus.UNKNOWN, answer.code, now)
    elif answer.outcome is Outcome.REFUSED and answer.value is None:
        _refused(message, answer.code, now)
    elif answer.value is not None:
        _apply(message, answer.value, now)


def _settle_look_up(message: Message, answer: Answer[DeliveryState], now: datetime) -> None:
    if answer.value is not None:
        _apply(message, answer.value, now)
    else:
        # Not found now may still be on its way; a text message more is worse than one less, so none is sent again.
        _try_later(message, MessageStatus.UNKNOWN, answer.code, now)


def _try_later(message: Message, status: MessageStatus, code: str, now: datetime) -> None:
    changes: dict[str, object] = {"status": status, "reason": code}
    if message.attempts > len(RETRY_S):
        changes.update(status=MessageStatus.FAILED, done_at=now, next_step_at=None)
    else:
        changes["next_step_at"] = now + timedelta(seconds=RETRY_S[message.attempts - 1])
    # A report may have come while we asked: then it stands.
    Message.objects.filter(pk=message.pk, status__in=[MessageStatus.SENDING, MessageStatus.UNKNOWN]).update(
        **changes
    )


def _refused(message: Message, code: str, now: datetime) -> None:
    status = MessageStatus.FAILED
    if code == "opted_out":
        status = MessageStatus.SUPPRESSED
        opt_out(
            customer_id=message.customer_id,
            kind=MessageKind.SERVICE,
            source=OptOutSource.CARRIER,
            now=now,
        )
    Message.objects.filter(pk=message.pk).update(status=status, reason=code, done_at=now, next_step_at=None)


def _apply(message: Message, state: DeliveryState, now: datetime) -> None:
    final = state.status != MessageStatus.SENT
    # "Sent" never overwrites a later word; what has ended stays.
    before = _OPEN if final else (MessageStatus.SENDING, MessageStatus.UNKNOWN)
    Message.objects.filter(pk=message.pk, status__in=before).update(
        status=state.status,
        reason=state.code,
        vendor_reference=state.vendor_reference,
        done_at=now if final else None,
        next_step_at=None,
    )


def _suppressed_for(customer: Customer, kind: MessageKind, now: datetime) -> str:
    if not customer.phone:
        return "no_phone_number"
    if queries.opted_out(customer_id=customer.pk, kind=kind):
        return "opted_out"
    if (
        kind != MessageKind.SECURITY
        and queries.sent_within(customer_id=customer.pk, since=now - timedelta(hours=1)) >= PER_HOUR_MAX
    ):
        return "too_many_this_hour"
    return ""
