from django.db import migrations

from flowlet.core.migrations import sql_file


class Migration(migrations.Migration):
    # The guards ask for approvals, which are the back office's.
    dependencies = [("compliance", "0004_monitoring_guards"), ("backoffice", "0002_guards")]
    operations = [sql_file(__file__, "wall_guards")]
