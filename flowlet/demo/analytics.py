"""Figures of the demo: facts of its three months, a comparison with the books, two saved reports."""

from datetime import datetime, timedelta

from analytics.facts.base import FACTS
from analytics.models import DirtySlice
from analytics.operations.reconciling import reconcile_facts
from analytics.operations.refreshing import rebuild
from analytics.operations.reports import save_report
from flowlet.backoffice.people import Person
from flowlet.identity.models import User

_DAYS = 100
_REPORTS = (
    (
        "Month end: settled by partner",
        {
            "fact": "payment_day",
            "measures": ["count", "completed", "refused_share", "settled"],
            "dimensions": ["partner", "currency"],
            "grain": "month",
            "period": "last_90_days",
        },
    ),
    (
        "Booked per heading",
        {
            "fact": "ledger_day",
            "measures": ["postings", "debit", "credit"],
            "dimensions": ["account", "currency"],
            "grain": "month",
            "period": "last_90_days",
        },
    ),
)


def fill(*, now: datetime) -> None:
    """Build all facts up to `now`, compare them with the books, save two reports of finance for all. Run it last."""
    for name in dict(FACTS.items()):
        rebuild(fact=name, first=now.date() - timedelta(days=_DAYS), last=now.date(), now=now)
    # What is marked by then is in the facts; later events mark their days again.
    DirtySlice.objects.all().delete()
    reconcile_facts(now=now)
    owner = User.objects.filter(groups__name="finance").order_by("pk").first()
    if owner is not None:
        for name, definition in _REPORTS:
            save_report(
                owner_id=owner.pk,
                name=name,
                definition=definition,
                may=Person(owner).may,
                visibility="ALL",
                now=now,
            )
