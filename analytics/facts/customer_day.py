"""Customers by day: who came, and how many moved money on that day."""

from typing import ClassVar

from django.db import models

from analytics.facts.base import FACTS, OF_PARTNER, DayFact, Dimension, Fact, Measure, Titles, grain


class CustomerDay(DayFact):
    """Customers of one partner and kind: new ones, and those with an entry that day (never added over days)."""

    kind = models.CharField(max_length=8)
    new = models.BigIntegerField()
    active = models.BigIntegerField()

    class Meta:
        app_label = "analytics"
        constraints: ClassVar = [grain("customer_day_once", "kind")]

    def __str__(self) -> str:
        return f"customers of {self.date}"


FACTS.register("customer_day")(
    Fact(
        model=CustomerDay,
        title="Customers",
        permission="analytics.view_customer_figures",
        columns=("kind", "new", "active"),
        source=f"""
            SELECT b.day, b.partner_id, b.kind, sum(b.new), sum(b.active)
            FROM (
                SELECT (c.created_at AT TIME ZONE %(zone)s)::date AS day, c.partner_id, c.kind, 1 AS new, 0 AS active
                FROM identity_customer c
                UNION ALL
                SELECT p.effective_date, c.partner_id, c.kind, 0, count(DISTINCT c.id)
                FROM ledger_posting p JOIN wallets_wallet w ON w.account_id = p.account_id
                JOIN identity_customer c ON c.id = w.customer_id
                WHERE p.effective_date BETWEEN %(first)s AND %(last)s
                GROUP BY 1, 2, 3
            ) AS b
            WHERE b.day BETWEEN %(first)s AND %(last)s AND {OF_PARTNER("b")}
            GROUP BY 1, 2, 3
        """,  # noqa: S608 - our own text
        touched={
            "customer.created": """
                SELECT (c.created_at AT TIME ZONE %(zone)s)::date, c.partner_id FROM identity_customer c
                WHERE c.public_id = %(object_id)s
            """,
            "ledger.transaction_posted": """
                SELECT DISTINCT p.effective_date, w.partner_id
                FROM ledger_transaction t JOIN ledger_posting p ON p.transaction_id = t.id
                JOIN wallets_wallet w ON w.account_id = p.account_id
                WHERE t.public_id = %(object_id)s
            """,
        },
        dimensions={"partner": Titles.PARTNER, "kind": Dimension(title="Kind", column="kind")},
        measures={
            "new": Measure(title="New customers", sums=("new",), definition="Customers created that day."),
        },
    )
)
