"""What payments know of themselves when a bank's or a processor's lines are matched with their postings."""

from collections import defaultdict
from collections.abc import Collection, Mapping

from django.urls import reverse

from ledger.reconciliation.facts import ITEM_FACTS, ItemFacts
from payments.models import Payment, PaymentAttempt, Refund


@ITEM_FACTS.register("payment")
def payments(keys: Collection[str]) -> Mapping[str, ItemFacts]:
    """Return what is known of these payments: their names at the processor, and where a person reads on."""
    # A payment's further postings append a word of their own to its id.
    by_payment: dict[str, list[str]] = defaultdict(list)
    for key in keys:
        by_payment[key.partition(":")[0]].append(key)
    rows = {
        pk: (public_id, kind)
        for pk, public_id, kind in Payment.objects.filter(public_id__in=by_payment).values_list(
            "pk", "public_id", "kind"
        )
    }
    names: dict[int, list[str]] = defaultdict(list)
    attempts = PaymentAttempt.objects.filter(payment_id__in=rows).exclude(vendor_reference="")
    for payment_id, reference in attempts.order_by("pk").values_list("payment_id", "vendor_reference"):
        names[payment_id].append(reference)
    return _refunds(keys) | {
        key: ItemFacts(
            references=tuple(names[pk]),
            title=kind.replace("_", " ").capitalize(),
            href=reverse("admin:payments_payment_change", args=[public_id]),
        )
        for pk, (public_id, kind) in rows.items()
        for key in by_payment[public_id]
    }


def _refunds(keys: Collection[str]) -> dict[str, ItemFacts]:
    """Refunds book under their own ids."""
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
