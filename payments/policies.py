"""Pure decisions of payments: which kind a payment is, where its state may go, what a fraud decision means."""

from payments.choices import PaymentKind, PaymentStatus
from payments.errors import PayoutNotYours, TypeDoesNotFit

_KINDS = {
    ("PERSON", "PERSON"): PaymentKind.P2P,
    ("PERSON", "BUSINESS"): PaymentKind.C2B,
    ("BUSINESS", "PERSON"): PaymentKind.B2C,
    ("BUSINESS", "BUSINESS"): PaymentKind.B2B,
}

# What may follow a state; the database holds the same table and refuses all else (`migrations/sql/guards.sql`).
NEXT: dict[PaymentStatus, frozenset[PaymentStatus]] = {
    PaymentStatus.REQUIRES_ACTION: frozenset(
        {PaymentStatus.PROCESSING, PaymentStatus.FAILED, PaymentStatus.CANCELED}
    ),
    PaymentStatus.HELD: frozenset({PaymentStatus.PROCESSING, PaymentStatus.REFUSED, PaymentStatus.CANCELED}),
    PaymentStatus.PROCESSING: frozenset(
        {
            PaymentStatus.REQUIRES_ACTION,
            PaymentStatus.COMPLETED,
            PaymentStatus.FAILED,
            PaymentStatus.OUTCOME_UNKNOWN,
            PaymentStatus.CANCELED,
        }
    ),
    PaymentStatus.OUTCOME_UNKNOWN: frozenset(
        {PaymentStatus.PROCESSING, PaymentStatus.COMPLETED, PaymentStatus.FAILED}
    ),
    PaymentStatus.COMPLETED: frozenset({PaymentStatus.RETURNED}),
    PaymentStatus.REFUSED: frozenset(),
    PaymentStatus.FAILED: frozenset(),
    PaymentStatus.CANCELED: frozenset(),
    PaymentStatus.RETURNED: frozenset(),
}
NEVER_FIRST = frozenset({PaymentStatus.OUTCOME_UNKNOWN, PaymentStatus.RETURNED})


def kind_between(*, payer: str, payee: str, asked: str | None = None) -> PaymentKind:
    """
    Return the kind that a payment between customers of these kinds is.

    :raises TypeDoesNotFit: if another one was asked for
    """
    fits = _KINDS[payer, payee]
    if asked is not None and asked != fits:
        raise TypeDoesNotFit(asked=asked.lower(), fits=fits.lower(), payer=payer.lower(), payee=payee.lower())
    return fits


def check_payout(*, payer_kind: str, own: bool) -> None:
    """
    Let a payout go to this bank account: everybody's own, and from a business to customers of the partner.

    :raises PayoutNotYours: if a person wants to pay out to somebody else
    """
    if not own and payer_kind != "BUSINESS":
        raise PayoutNotYours
