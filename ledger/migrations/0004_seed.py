from typing import Any

from django.db import migrations

from flowlet.core.currencies import EXPONENTS

_CHART = (
    ("1000", "CLIENT_MONEY_BANK", "Client money at banks", "ASSET"),
    ("1050", "CASH_AT_AGENTS", "Cash at agents of partners", "ASSET"),
    ("1100", "SETTLEMENT_CLEARING", "Settlement clearing", "ASSET"),
    ("1200", "RECEIVABLES", "Receivables from customers", "ASSET"),
    ("1900", "FX_POSITION", "Currency position", "ASSET"),
    ("2000", "CUSTOMER_WALLETS", "Customer wallets", "LIABILITY"),
    ("2100", "PARTNER_FEES_PAYABLE", "Fees payable to partners", "LIABILITY"),
    ("2900", "SUSPENSE", "Suspense", "LIABILITY"),
    ("3000", "EQUITY", "Equity", "EQUITY"),
    ("4000", "FEE_INCOME", "Fee income", "INCOME"),
    ("4100", "FX_SPREAD_INCOME", "Currency spread income", "INCOME"),
    ("5000", "PROCESSING_COST", "Processing cost", "EXPENSE"),
)


def seed(apps: Any, _schema_editor: Any) -> None:
    currency = apps.get_model("ledger", "Currency")
    currency.objects.bulk_create(
        [currency(code=code, exponent=exponent) for code, exponent in sorted(EXPONENTS.items())]
    )
    chart_account = apps.get_model("ledger", "ChartAccount")
    chart_account.objects.bulk_create(
        [chart_account(number=number, code=code, name=name, kind=kind) for number, code, name, kind in _CHART]
    )


class Migration(migrations.Migration):
    dependencies = [("ledger", "0003_posting")]
    # Going back needs no step: the tables go with 0001.
    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
