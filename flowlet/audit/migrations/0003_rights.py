from django.db import migrations

from flowlet.core.migrations import sql_file


class Migration(migrations.Migration):
    dependencies = [("audit", "0002_guards")]
    operations = [sql_file(__file__, "rights")]
