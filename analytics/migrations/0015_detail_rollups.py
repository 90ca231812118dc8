from django.db import migrations

from analytics.storage.ddl import sql_file


class Migration(migrations.Migration):
    dependencies = [("analytics", "0014_read_indexes")]
    operations = [sql_file("0013_detail_rollups")]
