"""What payments know of themselves when a bank's or a processor's lines are matched with their postings."""

from collections import defaultdict
from collections.abc import Collection, Mapping

from django.urls import reverse

from ledger.reconciliation.charged import CHARGED, Charged
from ledger.reconciliation.facts import ITEM_FACTS, ItemFacts
from payments.choices import PaymentKind
from payments.models import PaymentAttempt, Refund


@ITEM_FACTS.register("payment")
def payments(keys: Collection[str]) -> Mapping[str, ItemFacts]:
    """Return what is known of these payments: their names at the processor, and where a person reads on."""
    # A payment's further postings append a word of their own to its id; refunds book under ids of their own.
    by_payment: dict[str, list[str]] = defaultdict(list)
    for key in keys:
        by_payment[key.partition(":")[0]].append(key)
    refunds = [name for name in by_payment if name.startswith("rfd_")]
    found = _refunds(refunds) if refunds else {}
    attempts = PaymentAttempt.objects.filter(payment__public_id__in=by_payment).order_by("pk")
    for public_id, kind, reference in attempts.values_list(
        "payment__public_id", "payment__kind", "vendor_reference"
    ):
        for key in by_payment[public_id]:
            earlier = found[key].references if key in found else ()
            found[key] = ItemFacts(
                references=(*earlier, reference) if reference else earlier,
                title=kind.replace("_", " ").capitalize(),
                href=reverse("admin:payments_payment_change", args=[public_id]),
            )
    return found


def _refunds(keys: Collection[str]) -> dict[str, ItemFacts]:
    rows = Refund.objects.filter(public_id__in=keys).values_list(
        "public_id", "vendor_reference", "payment__public_id"
    )
    return {
        public_id: ItemFacts(
            references=(reference,) if reference else (),
            title="Refund",
            href=reverse("admin:payments_payment_change", args=[payment]),
        )
        for public_id, reference, payment in rows
    }


@CHARGED.register("stripe")
def charged(intents: Collection[str]) -> Mapping[str, Charged]:
    """Return where the money of these intents went: the wallet that was topped up, or suspense where it waits."""
    attempts = PaymentAttempt.objects.filter(
        vendor_reference__in=[name for name in intents if name], payment__kind=PaymentKind.TOP_UP
    ).select_related("payment__payee_wallet")
    found = {}
    for attempt in attempts.order_by("pk"):
        payment, wallet = attempt.payment, attempt.payment.payee_wallet
        found[attempt.vendor_reference] = Charged(
            account_id=wallet.account_id if wallet and not payment.parked else None,
            text="Disputed card payment",
            context={"payment": payment.public_id},
        )
    return found
