from django.db import migrations

from flowlet.core.migrations import sql_file


class Migration(migrations.Migration):
    dependencies = [("compliance", "0001_initial")]
    operations = [sql_file(__file__, "guards")]
