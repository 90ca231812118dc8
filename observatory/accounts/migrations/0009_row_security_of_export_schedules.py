from pathlib import Path

from django.db import migrations

_SQL = Path(__file__).parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("accounts", "0008_row_security_of_anomalies"), ("analytics", "0019_export_schedules")]
    operations = [
        migrations.RunSQL(
            (_SQL / "0006_row_security_of_export_schedules.up.sql").read_text(),
            (_SQL / "0006_row_security_of_export_schedules.down.sql").read_text(),
        )
    ]
