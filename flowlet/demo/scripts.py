"""What differs between the three invented partners: who their customers are, what they pay for, in which currency."""

from collections.abc import Mapping
from dataclasses import dataclass

Occasion = tuple[str, float, float]


@dataclass(frozen=True, slots=True)
class Script:
    """
    One partner. Amounts are in about euros.

    `share` of all payments; `to_business`: how often a person pays a business; `bounces`: how often a payer who lacks
    money does not fill up first.
    """

    slug: str
    name: str
    country: str
    share: float
    persons: int
    businesses: int
    currencies: Mapping[str, int]
    origins: tuple[int, ...]
    trades: str
    occasions: tuple[Occasion, ...]
    refunds: tuple[Occasion, ...]
    to_business: float
    bounces: float
    salaries: bool = False
    second_wallets: float = 0.0


SCRIPTS = (
    Script(
        slug="paylark",
        name="Paylark Payroll",
        country="DE",
        share=0.34,
        persons=96,
        businesses=14,
        currencies={"EUR": 70, "CHF": 18, "GBP": 12},
        origins=(0, 1, 2, 3, 4, 5, 6, 7, 8, 9),
        trades="trades",
        occasions=(
            ("Rent", 420, 1_100),
            ("Shared flat, electricity", 18, 70),
            ("Lunch", 7, 19),
            ("Groceries", 12, 85),
            ("Birthday present", 15, 60),
            ("Childcare", 90, 320),
            ("Concert tickets", 35, 140),
            ("", 5, 120),
            ("Holiday fund", 50, 400),
            ("Thanks!", 3, 25),
        ),
        refunds=(("Travel expenses", 20, 380), ("Bonus", 150, 900), ("Meal allowance", 60, 110)),
        to_business=0.12,
        bounces=0.05,
        salaries=True,
        second_wallets=0.12,
    ),
    Script(
        slug="bazarine",
        name="Bazarine Marketplace",
        country="GB",
        share=0.36,
        persons=66,
        businesses=38,
        currencies={"GBP": 50, "EUR": 32, "USD": 18},
        origins=(2, 0, 1, 4, 5, 6, 7, 12, 13, 14, 15, 16),
        trades="trades",
        occasions=(
            ("Order {n}", 9, 180),
            ("Order {n}", 14, 90),
            ("Order {n}, two items", 25, 240),
            ("Vintage lamp", 40, 160),
            ("Hand-thrown bowls", 28, 95),
            ("Order {n}, express", 12, 70),
            ("Deposit for order {n}", 50, 450),
        ),
        refunds=(("Refund of order {n}", 9, 120), ("Supplies, invoice {n}", 80, 900)),
        to_business=0.9,
        bounces=0.06,
    ),
    Script(
        slug="wanderly",
        name="Wanderly Travel Card",
        country="KW",
        share=0.30,
        persons=70,
        businesses=20,
        currencies={"USD": 28, "JPY": 26, "KWD": 22, "EUR": 14, "CHF": 10},
        origins=(10, 11, 12, 13, 16, 3, 2, 6, 14),
        trades="hotels",
        occasions=(
            ("Hotel, {n}", 85, 420),
            ("Taxi", 8, 45),
            ("Dinner", 18, 90),
            ("Train tickets", 12, 130),
            ("Museum", 9, 35),
            ("Airport transfer", 25, 80),
            ("My share of the trip", 20, 260),
            ("Ryokan, two nights", 180, 520),
        ),
        refunds=(("Refund, booking {n}", 30, 240), ("Commission, booking {n}", 15, 120)),
        to_business=0.7,
        bounces=0.06,
        second_wallets=0.55,
    ),
)
