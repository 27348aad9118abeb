from django.db import migrations

from flowlet.core.migrations import sql_file


class Migration(migrations.Migration):
    # The guard of exchanges asks the ledger's transactions for their quote.
    dependencies = [("wallets", "0002_guards"), ("ledger", "0006_currencies")]
    operations = [sql_file(__file__, "exchange")]
