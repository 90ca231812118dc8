from pathlib import Path

from django.db import migrations

_SQL = Path(__file__).parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_row_security"), ("analytics", "0011_search")]
    operations = [
        migrations.RunSQL(
            (_SQL / "0002_row_security_beside_traces.up.sql").read_text(),
            (_SQL / "0002_row_security_beside_traces.down.sql").read_text(),
        )
    ]
