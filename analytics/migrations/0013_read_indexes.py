from django.db import migrations

from analytics.storage.ddl import sql_file


class Migration(migrations.Migration):
    dependencies = [("analytics", "0012_narrow_rollups")]
    operations = [sql_file("0011_read_indexes")]
