"""Reading transactions with their legs."""

from django.db.models import Prefetch, QuerySet

from flowlet.core.errors import NotFound
from ledger.models.transactions import LedgerTransaction, Posting


def list_transactions() -> QuerySet[LedgerTransaction]:
    """Return all transactions with legs and accounts in three queries, newest first."""
    legs = Posting.objects.select_related("account__chart_account", "account__customer").order_by("leg")
    return (
        LedgerTransaction.objects.select_related("reverses", "approval")
        .prefetch_related(Prefetch("postings", queryset=legs))
        .order_by("-pk")
    )


def get_transaction(public_id: str) -> LedgerTransaction:
    """
    Return one transaction; `postings.all()` are its legs in order, with their accounts.

    :raises NotFound: if there is none of that id
    """
    try:
        return list_transactions().get(public_id=public_id)
    except LedgerTransaction.DoesNotExist:
        raise NotFound from None


def find_by_key(source: str, source_key: str) -> LedgerTransaction | None:
    """Return the transaction of that cause, or None; `postings.all()` are its legs in order."""
    return list_transactions().filter(source=source, source_key=source_key).first()
