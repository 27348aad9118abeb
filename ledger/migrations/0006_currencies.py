from django.db import migrations

from flowlet.core.migrations import sql_file


class Migration(migrations.Migration):
    dependencies = [("ledger", "0005_holds")]
    operations = [sql_file(__file__, "currencies")]
