"""Authorisations of cards by the day on which the merchant asked."""

from typing import ClassVar

from django.db import models

from analytics.categories import category_sql
from analytics.facts.base import FACTS, OF_PARTNER, DayFact, Dimension, Fact, Measure, Titles, grain


class CardDay(DayFact):
    """
    Authorisations of one partner, currency, kind of merchant, country, answer and reason, by the day they were asked.

    Amounts in minor units of the card's currency. What was cleared and refunded later counts on the day of the
    authorisation; what no authorisation stands behind is not in here.
    """

    currency = models.CharField(max_length=3)
    category = models.CharField(max_length=20)
    country = models.CharField(max_length=2)
    outcome = models.CharField(max_length=8)
    reason = models.CharField(max_length=40)
    count = models.BigIntegerField()
    approved = models.BigIntegerField()
    declined = models.BigIntegerField()
    requested_minor = models.BigIntegerField()
    approved_minor = models.BigIntegerField()
    cleared_minor = models.BigIntegerField()
    refunded_minor = models.BigIntegerField()
    decision_us = models.BigIntegerField()

    class Meta:
        app_label = "analytics"
        constraints: ClassVar = [
            grain("card_day_once", "currency", "category", "country", "outcome", "reason"),
        ]

    def __str__(self) -> str:
        return f"card authorisations of {self.date}"


_DAY = "(a.created_at AT TIME ZONE %(zone)s)::date"
_FROM = "(%(first)s::date::timestamp AT TIME ZONE %(zone)s)"
_TO = "((%(last)s::date + 1)::timestamp AT TIME ZONE %(zone)s)"
_CARD = "FROM cards_cardauthorization a JOIN cards_card c ON c.id = a.card_id"

FACTS.register("card_day")(
    Fact(
        model=CardDay,
        title="Card payments",
        permission="analytics.view_card_figures",
        columns=(
            *("currency", "category", "country", "outcome", "reason", "count", "approved", "declined"),
            *("requested_minor", "approved_minor", "cleared_minor", "refunded_minor", "decision_us"),
        ),
        source=f"""
            SELECT {_DAY}, c.partner_id, a.currency, {category_sql("a.mcc")}, a.country, d.outcome, d.reason,
                   count(*), count(*) FILTER (WHERE d.outcome <> 'DECLINED'),
                   count(*) FILTER (WHERE d.outcome = 'DECLINED'), sum(a.requested_minor), sum(d.approved_minor),
                   sum(a.cleared_minor), sum(a.refunded_minor), sum(d.latency_us)
            {_CARD} JOIN cards_carddecision d ON d.authorization_id = a.id
            WHERE a.created_at >= {_FROM} AND a.created_at < {_TO} AND {OF_PARTNER("c")}
            GROUP BY 1, 2, 3, 4, 5, 6, 7
        """,
        touched={
            "card_authorization.*": f"SELECT {_DAY}, c.partner_id {_CARD} WHERE a.public_id = %(object_id)s",
        },
        dimensions={
            "partner": Titles.PARTNER,
            "currency": Titles.CURRENCY,
            "category": Dimension(title="Kind of merchant", column="category"),
            "country": Dimension(title="Country", column="country"),
            "outcome": Dimension(title="Answer", column="outcome"),
            "reason": Dimension(title="Reason", column="reason"),
        },
        measures={
            "count": Measure(
                title="Authorisations", sums=("count",), definition="All that merchants asked for."
            ),
            "approved": Measure(
                title="Approved", sums=("approved",), definition="Approved in full or in part."
            ),
            "declined": Measure(title="Declined", sums=("declined",), definition="Answered with a no."),
            "declined_share": Measure(
                title="Declined share",
                sums=("declined", "count"),
                definition="Declined of all authorisations.",
                unit="PERCENT",
                kind="RATIO",
            ),
            "approved_amount": Measure(
                title="Approved amount",
                sums=("approved_minor",),
                definition="What was promised when it was asked for.",
                unit="MONEY",
            ),
            "cleared": Measure(
                title="Cleared amount",
                sums=("cleared_minor",),
                definition="What merchants collected on these authorisations until now.",
                unit="MONEY",
            ),
            "refunded": Measure(
                title="Refunded amount",
                sums=("refunded_minor",),
                definition="What merchants gave back on these authorisations until now.",
                unit="MONEY",
            ),
        },
        # From the postings: a clearing is found by its network reference, as it may have come before its authorisation.
        proof="""
            WITH books AS (
                SELECT a.currency, x.kind, sum(p.amount) AS minor
                FROM cards_cardtransaction x JOIN cards_networkevent e ON e.id = x.event_id
                JOIN cards_cardauthorization a
                  ON a.processor = e.processor AND a.network_reference = e.network_reference
                JOIN ledger_posting p ON p.transaction_id = x.transaction_id AND p.amount > 0
                GROUP BY 1, 2
            ), facts AS (
                SELECT currency, 'CLEAR' AS kind, sum(cleared_minor) AS minor FROM analytics_cardday GROUP BY 1
                UNION ALL
                SELECT currency, 'REFUND', sum(refunded_minor) FROM analytics_cardday GROUP BY 1
            )
            SELECT NULL::date, CASE kind WHEN 'CLEAR' THEN 'Cleared by cards, ' ELSE 'Refunded to cards, ' END || currency,
                   coalesce(facts.minor, 0)::bigint, coalesce(books.minor, 0)::bigint
            FROM facts FULL JOIN books USING (currency, kind)
            WHERE coalesce(facts.minor, 0) <> coalesce(books.minor, 0)
            ORDER BY 2
        """,
    )
)
