from django.db import migrations

from flowlet.core.migrations import sql_file


class Migration(migrations.Migration):
    # backoffice holds the function that asks for a second person's yes.
    dependencies = [("ledger", "0007_sealing"), ("backoffice", "0002_guards")]
    operations = [sql_file(__file__, "periods")]
