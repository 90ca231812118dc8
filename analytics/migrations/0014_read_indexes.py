from django.db import migrations

from analytics.storage.ddl import sql_file


class Migration(migrations.Migration):
    dependencies = [("analytics", "0013_sparse_rollups")]
    operations = [sql_file("0012_read_indexes")]
