"""Payments by the day on which they were made."""

from typing import ClassVar

from django.db import models

from analytics.facts.base import FACTS, OF_PARTNER, DayFact, Dimension, Fact, Measure, Titles, grain


class PaymentDay(DayFact):
    """Payments of one partner, kind, rail, currency, state and reason, by the day they were made."""

    kind = models.CharField(max_length=20)
    rail = models.CharField(max_length=30)
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=20)
    reason = models.CharField(max_length=60)
    count = models.BigIntegerField()
    completed = models.BigIntegerField()
    refused = models.BigIntegerField()
    amount_minor = models.BigIntegerField()
    settled_minor = models.BigIntegerField()
    settle_s = models.BigIntegerField()

    class Meta:
        app_label = "analytics"
        constraints: ClassVar = [
            grain("payment_day_once", "kind", "rail", "currency", "status", "reason"),
        ]

    def __str__(self) -> str:
        return f"payments of {self.date}"


_DAY = "(p.created_at AT TIME ZONE %(zone)s)::date"
_FROM = "(%(first)s::date::timestamp AT TIME ZONE %(zone)s)"
_TO = "((%(last)s::date + 1)::timestamp AT TIME ZONE %(zone)s)"
_TOUCHED = f"SELECT {_DAY}, p.partner_id FROM payments_payment p WHERE p.public_id = %(object_id)s"  # noqa: S608 - our own text

FACTS.register("payment_day")(
    Fact(
        model=PaymentDay,
        title="Payments",
        permission="analytics.view_payment_figures",
        columns=(
            *("kind", "rail", "currency", "status", "reason"),
            *("count", "completed", "refused", "amount_minor", "settled_minor", "settle_s"),
        ),
        source=f"""
            SELECT {_DAY}, p.partner_id, p.kind, p.rail, p.currency, p.status, p.refusal_code,
                   count(*), count(*) FILTER (WHERE p.status = 'COMPLETED'),
                   count(*) FILTER (WHERE p.status IN ('REFUSED', 'FAILED')), sum(p.amount_minor),
                   coalesce(sum(p.amount_minor) FILTER (WHERE p.status = 'COMPLETED'), 0),
                   coalesce(sum(extract(epoch FROM p.completed_at - p.created_at))
                            FILTER (WHERE p.status = 'COMPLETED'), 0)::bigint
            FROM payments_payment p
            WHERE p.created_at >= {_FROM} AND p.created_at < {_TO} AND {OF_PARTNER("p")}
            GROUP BY 1, 2, 3, 4, 5, 6, 7
        """,  # noqa: S608 - our own text
        touched={"payment.*": _TOUCHED},
        dimensions={
            "partner": Titles.PARTNER,
            "currency": Titles.CURRENCY,
            "kind": Dimension(title="Kind", column="kind"),
            "rail": Dimension(title="Rail", column="rail"),
            "status": Dimension(title="Status", column="status"),
            "reason": Dimension(title="Reason", column="reason"),
        },
        measures={
            "count": Measure(
                title="Payments", sums=("count",), definition="All payments made, refused ones too."
            ),
            "completed": Measure(
                title="Completed", sums=("completed",), definition="Payments that moved money."
            ),
            "refused": Measure(
                title="Refused", sums=("refused",), definition="Payments that we or a rail said no to."
            ),
            "settled": Measure(
                title="Settled amount",
                sums=("settled_minor",),
                definition="What completed payments moved. Refunds are not taken off.",
                unit="MONEY",
            ),
            "refused_share": Measure(
                title="Refused share",
                sums=("refused", "count"),
                definition="Refused payments of all payments.",
                unit="PERCENT",
                kind="RATIO",
            ),
        },
        # The amount comes from the postings, the day from the payment; a posting without a payment shows as well.
        proof=f"""
            WITH books AS (
                SELECT coalesce({_DAY}, t.effective_date) AS day, x.currency, count(*) AS n, sum(x.amount) AS minor
                FROM ledger_transaction t
                JOIN LATERAL (SELECT currency, sum(amount) AS amount FROM ledger_posting
                              WHERE transaction_id = t.id AND amount > 0 GROUP BY currency) AS x ON true
                LEFT JOIN payments_payment p ON p.transaction_id = t.id
                WHERE p.status = 'COMPLETED' OR (
                    p.id IS NULL AND t.source = 'payment' AND t.reverses_id IS NULL
                    AND t.kind IN ('P2P', 'C2B', 'B2C', 'B2B', 'TOP_UP', 'PAYOUT'))
                GROUP BY 1, 2
            ), facts AS (
                SELECT date AS day, currency, sum(completed) AS n, sum(settled_minor) AS minor
                FROM analytics_paymentday GROUP BY 1, 2 HAVING sum(completed) > 0
            )
            SELECT day, 'Settled payments, ' || currency, coalesce(facts.minor, 0)::bigint, coalesce(books.minor, 0)::bigint
            FROM facts FULL JOIN books USING (day, currency)
            WHERE (facts.n, facts.minor) IS DISTINCT FROM (books.n, books.minor)
            ORDER BY 1, 2
        """,  # noqa: S608 - our own text
    )
)
