"""What each customer spent and received, by booking date: every entry of a wallet's statement is in it once."""

from typing import ClassVar

from django.db import models

from analytics.categories import category_sql, kind_sql
from analytics.facts.base import FACTS, OF_PARTNER, DayFact, Fact, grain


class SpendingDay(DayFact):
    """
    Money of one customer in one currency, by direction, kind of entry, category and who was on the other side.

    `other` is the other customer's public id, or ''; OWN moves lie between wallets of one customer. `merchant` is a
    name, or ''. Amounts in minor units: IN > 0, OUT < 0 but for refunds of cards, which lessen what was spent, OWN
    either way.
    """

    customer = models.ForeignKey("identity.Customer", models.PROTECT, related_name="+")
    currency = models.CharField(max_length=3)
    direction = models.CharField(max_length=3)
    kind = models.CharField(max_length=40)
    other = models.CharField(max_length=40)
    category = models.CharField(max_length=20)
    merchant = models.CharField(max_length=80)
    count = models.BigIntegerField()
    amount_minor = models.BigIntegerField()

    class Meta:
        app_label = "analytics"
        constraints: ClassVar = [
            grain(
                "spending_day_once",
                *("customer", "currency", "direction", "kind", "other", "category", "merchant"),
            )
        ]
        indexes: ClassVar = [models.Index(fields=["customer", "date"], name="spending_by_customer")]

    def __str__(self) -> str:
        return f"spending of {self.date}"


_MCC = "coalesce(nullif(e.mcc, ''), a.mcc, '')"
_BOOKS = f"""
    SELECT w.partner_id, w.customer_id, w.currency, p.effective_date AS day, -p.amount AS amount, t.kind,
           other.customer_id AS other_id, coalesce(other.public_id, '') AS other,
           CASE WHEN x.id IS NULL THEN {kind_sql("t.kind")} ELSE {category_sql(_MCC)} END AS category,
           coalesce(nullif(e.merchant_name, ''), a.merchant_name, '') AS merchant
    FROM ledger_posting p
    JOIN wallets_wallet w ON w.account_id = p.account_id
    JOIN ledger_transaction t ON t.id = p.transaction_id
    LEFT JOIN cards_cardtransaction x ON x.transaction_id = t.id
    LEFT JOIN cards_networkevent e ON e.id = x.event_id
    LEFT JOIN cards_cardauthorization a ON a.id = x.authorization_id
    LEFT JOIN LATERAL (
        SELECT c.id AS customer_id, c.public_id
        FROM ledger_posting o JOIN wallets_wallet v ON v.account_id = o.account_id
        JOIN identity_customer c ON c.id = v.customer_id
        WHERE o.transaction_id = p.transaction_id AND o.account_id <> p.account_id ORDER BY o.leg LIMIT 1
    ) AS other ON true
"""  # noqa: S608 - our own text

FACTS.register("spending_day")(
    Fact(
        model=SpendingDay,
        title="Spending",
        permission="analytics.view_customer_figures",
        columns=(
            "customer_id",
            "currency",
            "direction",
            "kind",
            "other",
            "category",
            "merchant",
            "count",
            "amount_minor",
        ),
        source=f"""
            SELECT b.day, b.partner_id, b.customer_id, b.currency,
                   CASE WHEN b.other_id = b.customer_id THEN 'OWN'
                        WHEN b.amount > 0 AND b.kind <> 'CARD_REFUND' THEN 'IN' ELSE 'OUT' END,
                   b.kind, b.other, b.category, b.merchant, count(*), sum(b.amount)
            FROM ({_BOOKS} WHERE p.effective_date BETWEEN %(first)s AND %(last)s) AS b
            WHERE {OF_PARTNER("b")}
            GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
        """,  # noqa: S608 - our own text
        touched={
            "ledger.transaction_posted": """
                SELECT DISTINCT p.effective_date, w.partner_id
                FROM ledger_transaction t JOIN ledger_posting p ON p.transaction_id = t.id
                JOIN wallets_wallet w ON w.account_id = p.account_id
                WHERE t.public_id = %(object_id)s
            """
        },
        proof="""
            WITH books AS (
                SELECT w.currency, sum(b.posted) AS minor FROM wallets_wallet w
                JOIN ledger_balance b ON b.account_id = w.account_id WHERE b.seq > 0 GROUP BY 1
            ), facts AS (SELECT currency, sum(amount_minor) AS minor FROM analytics_spendingday GROUP BY 1)
            SELECT NULL::date, 'Wallets of customers, ' || currency, coalesce(facts.minor, 0)::bigint,
                   coalesce(books.minor, 0)::bigint
            FROM facts FULL JOIN books USING (currency)
            WHERE facts.minor IS DISTINCT FROM books.minor
            ORDER BY 2
        """,
    )
)
