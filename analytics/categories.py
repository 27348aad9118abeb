"""What money is spent on: groups of merchant category codes, and of entries that have no merchant."""

# Group -> its ranges of ISO 18245 codes, both ends included; the first that fits wins. Source: ISO 18245:2023, 15 groups
# of our own. A change needs `manage.py analytics_rebuild`.
VERSION = 1
MCC_GROUPS: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    ("CASH", (("6010", "6011"),)),
    ("GAMBLING", (("7800", "7802"), ("7995", "7995"), ("9754", "9754"))),
    ("GROCERIES", (("5411", "5411"), ("5422", "5499"))),
    ("EATING_OUT", (("5811", "5814"),)),
    ("TRAVEL", (("3000", "3999"), ("4411", "4411"), ("4511", "4511"), ("4722", "4723"), ("7011", "7012"))),
    ("FUEL", (("5541", "5542"), ("5552", "5552"), ("5983", "5983"))),
    ("TRANSPORT", (("4000", "4131"), ("4784", "4789"), ("7512", "7549"))),
    ("BILLS", (("4812", "4816"), ("4900", "4900"))),
    ("ENTERTAINMENT", (("4899", "4899"), ("5735", "5735"), ("5815", "5818"), ("7829", "7999"))),
    ("HEALTH", (("5912", "5912"), ("5975", "5976"), ("8011", "8099"))),
    ("EDUCATION", (("5942", "5943"), ("8211", "8299"))),
    ("HOME", (("5039", "5039"), ("5200", "5261"), ("5712", "5722"))),
    ("FINANCE", (("6012", "6399"),)),
    ("SHOPPING", (("5300", "5399"), ("5600", "5999"))),
)
OTHER = "OTHER"
# Kinds of entries without a merchant.
KIND_GROUPS = {
    "CASH_DEPOSIT": "CASH",
    "CASH_WITHDRAWAL": "CASH",
    **dict.fromkeys(
        ("P2P", "C2B", "B2C", "B2B", "DEPOSIT", "WITHDRAWAL", "TOP_UP", "PAYOUT", "EXCHANGE"), "TRANSFERS"
    ),
}


def category_of(mcc: str) -> str:
    """Return the group of a merchant category code; OTHER for what is not known."""
    for group, spans in MCC_GROUPS:
        if any(first <= mcc <= last for first, last in spans):
            return group
    return OTHER


def category_sql(mcc: str) -> str:
    """Return the SQL expression for the group of a column with codes; equal to `category_of`."""
    cases = " ".join(
        f"WHEN {' OR '.join(f'{mcc} BETWEEN {first!r} AND {last!r}' for first, last in spans)} THEN {group!r}"
        for group, spans in MCC_GROUPS
    )
    return f"CASE {cases} ELSE '{OTHER}' END"


def kind_sql(kind: str) -> str:
    """Return the SQL expression for the group of a column with kinds of entries."""
    cases = " ".join(f"WHEN {code!r} THEN {group!r}" for code, group in KIND_GROUPS.items())
    return f"CASE {kind} {cases} ELSE '{OTHER}' END"
