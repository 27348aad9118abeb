from typing import Any

from django.db import migrations

from flowlet.core.currencies import EXPONENTS

_CHART = (
    ("1", "ASSETS", "Assets", "ASSET"),
    ("1000", "CLIENT_MONEY_BANK", "Client money at banks", "ASSET"),
    ("1010", "OPERATING_BANK", "Own money at banks", "ASSET"),
    ("1050", "CASH_AT_AGENTS", "Cash at agents of partners", "ASSET"),
    ("1100", "SETTLEMENT_CLEARING", "Settlement clearing", "ASSET"),
    ("1110", "BANK_CLEARING", "Bank clearing", "ASSET"),
    ("1200", "RECEIVABLES", "Receivables from customers", "ASSET"),
    ("1900", "FX_POSITION", "Currency position", "ASSET"),
    ("1910", "FX_REVALUATION", "Currency revaluation", "ASSET"),
    ("2", "LIABILITIES", "Liabilities", "LIABILITY"),
    ("2000", "CUSTOMER_WALLETS", "Customer wallets", "LIABILITY"),
    ("2100", "PARTNER_FEES_PAYABLE", "Fees payable to partners", "LIABILITY"),
    ("2200", "PARTNER_FUNDS", "Funds of partners", "LIABILITY"),
    ("2900", "SUSPENSE", "Suspense", "LIABILITY"),
    ("2910", "UNALLOCATED_RECEIPTS", "Receipts not yet allocated", "LIABILITY"),
    ("3", "EQUITY_AND_RESERVES", "Equity and reserves", "EQUITY"),
    ("3000", "EQUITY", "Equity", "EQUITY"),
    ("3100", "RETAINED_EARNINGS", "Retained earnings", "EQUITY"),
    ("4", "ALL_INCOME", "Income", "INCOME"),
    ("4000", "FEE_INCOME", "Fee income", "INCOME"),
    ("4100", "FX_SPREAD_INCOME", "Currency spread income", "INCOME"),
    ("4200", "INTERCHANGE_INCOME", "Interchange income", "INCOME"),
    ("4300", "FX_REALISED", "Realised currency result", "INCOME"),
    ("4310", "FX_UNREALISED", "Unrealised currency result", "INCOME"),
    ("5", "ALL_EXPENSES", "Expenses", "EXPENSE"),
    ("5000", "PROCESSING_COST", "Processing cost", "EXPENSE"),
    ("5100", "BANK_CHARGES", "Bank charges", "EXPENSE"),
    ("5200", "RECONCILIATION_DIFFERENCES", "Differences written off", "EXPENSE"),
    ("5300", "FRAUD_AND_CARD_LOSSES", "Losses from fraud and cards", "EXPENSE"),
)


def seed(apps: Any, _schema_editor: Any) -> None:
    currency = apps.get_model("ledger", "Currency")
    currency.objects.bulk_create(
        [currency(code=code, exponent=exponent) for code, exponent in sorted(EXPONENTS.items())]
    )
    chart_account = apps.get_model("ledger", "ChartAccount")
    headings: dict[str, Any] = {}
    for number, code, name, kind in _CHART:
        # A heading has one digit and stands before what is under it.
        parent = headings.get(number[0])
        made = chart_account.objects.create(number=number, code=code, name=name, kind=kind, parent=parent)
        headings.setdefault(number, made)


class Migration(migrations.Migration):
    dependencies = [("ledger", "0003_posting")]
    # Going back needs no step: the tables go with 0001.
    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
