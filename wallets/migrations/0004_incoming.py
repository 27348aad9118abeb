from django.db import migrations

from flowlet.core.migrations import sql_file


class Migration(migrations.Migration):
    dependencies = [("wallets", "0003_exchange")]
    operations = [sql_file(__file__, "incoming")]
