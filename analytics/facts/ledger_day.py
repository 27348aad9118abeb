"""What was booked on each heading of the chart, by the booking date; balances are these added up from the start."""

from typing import ClassVar

from django.db import models

from analytics.facts.base import FACTS, OF_PARTNER, DayFact, Dimension, Fact, Measure, Titles, grain


class LedgerDay(DayFact):
    """Debits and credits of one heading and currency by booking date, minor units without sign."""

    account = models.CharField(max_length=40)
    currency = models.CharField(max_length=3)
    postings = models.BigIntegerField()
    debit_minor = models.BigIntegerField()
    credit_minor = models.BigIntegerField()

    class Meta:
        app_label = "analytics"
        constraints: ClassVar = [grain("ledger_day_once", "account", "currency")]

    def __str__(self) -> str:
        return f"{self.account} of {self.date}"


FACTS.register("ledger_day")(
    Fact(
        model=LedgerDay,
        title="Ledger",
        permission="analytics.view_finance_figures",
        columns=("account", "currency", "postings", "debit_minor", "credit_minor"),
        source=f"""
            SELECT p.effective_date, a.partner_id, c.code, p.currency, count(*),
                   coalesce(sum(p.amount) FILTER (WHERE p.amount > 0), 0),
                   -coalesce(sum(p.amount) FILTER (WHERE p.amount < 0), 0)
            FROM ledger_posting p
            JOIN ledger_account a ON a.id = p.account_id
            JOIN ledger_chartaccount c ON c.id = a.chart_account_id
            WHERE p.effective_date BETWEEN %(first)s AND %(last)s AND {OF_PARTNER("a")}
            GROUP BY 1, 2, 3, 4
        """,  # noqa: S608 - our own text
        touched={
            "ledger.transaction_posted": """
                SELECT DISTINCT p.effective_date, a.partner_id
                FROM ledger_transaction t JOIN ledger_posting p ON p.transaction_id = t.id
                JOIN ledger_account a ON a.id = p.account_id
                WHERE t.public_id = %(object_id)s
            """
        },
        dimensions={
            "partner": Titles.PARTNER,
            "currency": Titles.CURRENCY,
            "account": Dimension(title="Heading", column="account"),
        },
        measures={
            "postings": Measure(title="Postings", sums=("postings",), definition="Legs of transactions."),
            "debit": Measure(
                title="Debits", sums=("debit_minor",), definition="Sum of debits booked.", unit="MONEY"
            ),
            "credit": Measure(
                title="Credits", sums=("credit_minor",), definition="Sum of credits booked.", unit="MONEY"
            ),
        },
        proof="""
            WITH books AS (
                SELECT c.code, b.currency, sum(b.posted * b.sign) AS minor
                FROM ledger_balance b JOIN ledger_account a ON a.id = b.account_id
                JOIN ledger_chartaccount c ON c.id = a.chart_account_id
                WHERE b.seq > 0 GROUP BY 1, 2
            ), facts AS (
                SELECT account AS code, currency, sum(debit_minor - credit_minor) AS minor
                FROM analytics_ledgerday GROUP BY 1, 2
            )
            SELECT NULL::date, 'Balance of ' || code || ', ' || currency, coalesce(facts.minor, 0)::bigint,
                   coalesce(books.minor, 0)::bigint
            FROM facts FULL JOIN books USING (code, currency)
            WHERE facts.minor IS DISTINCT FROM books.minor
            ORDER BY 2
        """,
    )
)
