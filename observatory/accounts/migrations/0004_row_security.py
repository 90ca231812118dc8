from pathlib import Path

from django.db import migrations

_SQL = Path(__file__).parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_identity"), ("analytics", "0010_idempotency")]
    operations = [
        migrations.RunSQL(
            (_SQL / "0001_row_security.up.sql").read_text(), (_SQL / "0001_row_security.down.sql").read_text()
        )
    ]
