from django.db import migrations

from flowlet.core.migrations import sql_file


class Migration(migrations.Migration):
    dependencies = [("ledger", "0009_reconciliation"), ("backoffice", "0002_guards")]
    operations = [sql_file(__file__, "matching")]
