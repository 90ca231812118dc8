from pathlib import Path

from django.db import migrations

_SQL = Path(__file__).parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("accounts", "0007_row_security_of_budgets"), ("analytics", "0018_anomalies")]
    operations = [
        migrations.RunSQL(
            (_SQL / "0005_row_security_of_anomalies.up.sql").read_text(),
            (_SQL / "0005_row_security_of_anomalies.down.sql").read_text(),
        )
    ]
