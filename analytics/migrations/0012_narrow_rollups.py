from django.db import migrations

from analytics.storage.ddl import sql_file


class Migration(migrations.Migration):
    dependencies = [("analytics", "0011_search")]
    operations = [sql_file("0010_narrow_rollups")]
