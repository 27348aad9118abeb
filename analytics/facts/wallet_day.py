"""Wallets by day: opened, closed, and the money that came and went by booking date."""

from typing import ClassVar

from django.db import models

from analytics.facts.base import FACTS, OF_PARTNER, DayFact, Fact, Measure, Titles, grain


class WalletDay(DayFact):
    """Wallets of one partner and currency: how many came and went, and their money in and out, minor units."""

    currency = models.CharField(max_length=3)
    opened = models.BigIntegerField()
    closed = models.BigIntegerField()
    in_minor = models.BigIntegerField()
    out_minor = models.BigIntegerField()

    class Meta:
        app_label = "analytics"
        constraints: ClassVar = [grain("wallet_day_once", "currency")]

    def __str__(self) -> str:
        return f"wallets of {self.date}"


_WALLET = """
    SELECT (w.{0} AT TIME ZONE %(zone)s)::date, w.partner_id FROM wallets_wallet w
    WHERE w.public_id = %(object_id)s AND w.{0} IS NOT NULL
"""

FACTS.register("wallet_day")(
    Fact(
        model=WalletDay,
        title="Wallets",
        permission="analytics.view_customer_figures",
        columns=("currency", "opened", "closed", "in_minor", "out_minor"),
        source=f"""
            SELECT b.day, b.partner_id, b.currency, sum(b.opened), sum(b.closed), sum(b.money_in), sum(b.money_out)
            FROM (
                SELECT (w.created_at AT TIME ZONE %(zone)s)::date AS day, w.partner_id, w.currency, 1 AS opened, 0 AS closed,
                       0::bigint AS money_in, 0::bigint AS money_out FROM wallets_wallet w
                UNION ALL
                SELECT (w.closed_at AT TIME ZONE %(zone)s)::date, w.partner_id, w.currency, 0, 1, 0, 0
                FROM wallets_wallet w WHERE w.closed_at IS NOT NULL
                UNION ALL
                SELECT p.effective_date, w.partner_id, w.currency, 0, 0, greatest(-p.amount, 0), greatest(p.amount, 0)
                FROM ledger_posting p JOIN wallets_wallet w ON w.account_id = p.account_id
                WHERE p.effective_date BETWEEN %(first)s AND %(last)s
            ) AS b
            WHERE b.day BETWEEN %(first)s AND %(last)s AND {OF_PARTNER("b")}
            GROUP BY 1, 2, 3
        """,  # noqa: S608 - our own text
        touched={
            "wallet.opened": _WALLET.format("created_at"),
            "wallet.closed": _WALLET.format("closed_at"),
            "ledger.transaction_posted": """
                SELECT DISTINCT p.effective_date, w.partner_id
                FROM ledger_transaction t JOIN ledger_posting p ON p.transaction_id = t.id
                JOIN wallets_wallet w ON w.account_id = p.account_id
                WHERE t.public_id = %(object_id)s
            """,
        },
        dimensions={"partner": Titles.PARTNER, "currency": Titles.CURRENCY},
        measures={
            "opened": Measure(
                title="Wallets opened", sums=("opened",), definition="Wallets opened that day."
            ),
            "closed": Measure(
                title="Wallets closed", sums=("closed",), definition="Wallets closed that day."
            ),
            "money_in": Measure(
                title="Money in",
                sums=("in_minor",),
                definition="Credits of wallets, by booking date.",
                unit="MONEY",
            ),
            "money_out": Measure(
                title="Money out",
                sums=("out_minor",),
                definition="Debits of wallets, by booking date.",
                unit="MONEY",
            ),
        },
        proof="""
            WITH books AS (
                SELECT w.currency, sum(b.posted) AS minor FROM wallets_wallet w
                JOIN ledger_balance b ON b.account_id = w.account_id GROUP BY 1
            ), facts AS (
                SELECT currency, sum(in_minor - out_minor) AS minor FROM analytics_walletday GROUP BY 1
            )
            SELECT NULL::date, 'Money in wallets, ' || currency, coalesce(facts.minor, 0)::bigint,
                   coalesce(books.minor, 0)::bigint
            FROM facts FULL JOIN books USING (currency)
            WHERE facts.minor IS DISTINCT FROM books.minor
            ORDER BY 2
        """,
    )
)
