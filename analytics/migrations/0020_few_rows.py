from django.db import migrations

from analytics.storage.ddl import sql_file


class Migration(migrations.Migration):
    dependencies = [("analytics", "0016_exports")]
    operations = [sql_file("0020_few_rows")]
