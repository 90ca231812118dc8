from pathlib import Path

from django.db import migrations

_SQL = Path(__file__).parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("accounts", "0005_row_security_beside_traces"), ("analytics", "0016_exports")]
    operations = [
        migrations.RunSQL(
            (_SQL / "0003_row_security_of_exports.up.sql").read_text(),
            (_SQL / "0003_row_security_of_exports.down.sql").read_text(),
        )
    ]
