from pathlib import Path

from django.db import migrations

_SQL = Path(__file__).parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("accounts", "0006_row_security_of_exports"), ("analytics", "0017_budgets")]
    operations = [
        migrations.RunSQL(
            (_SQL / "0004_row_security_of_budgets.up.sql").read_text(),
            (_SQL / "0004_row_security_of_budgets.down.sql").read_text(),
        )
    ]
