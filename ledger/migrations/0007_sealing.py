from django.db import migrations

from flowlet.core.migrations import sql_file


class Migration(migrations.Migration):
    # The refusal of changes and the HMAC that signed tables share live in audit.
    dependencies = [("ledger", "0006_currencies"), ("audit", "0002_guards")]
    operations = [sql_file(__file__, name) for name in ("digests", "sealing", "verify")]
