from pathlib import Path

from django.db import migrations

_SQL = Path(__file__).parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0009_row_security_of_export_schedules"),
        ("analytics", "0034_repriced_in_exports"),
    ]
    operations = [
        migrations.RunSQL(
            (_SQL / "0007_audit_under_hold.up.sql").read_text(),
            (_SQL / "0007_audit_under_hold.down.sql").read_text(),
        )
    ]
