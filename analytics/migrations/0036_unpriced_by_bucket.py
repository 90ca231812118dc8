from django.db import migrations

from analytics.storage.ddl import sql_file


class Migration(migrations.Migration):
    dependencies = [("analytics", "0035_evaluations_by_trace")]
    operations = [sql_file("0036_unpriced_by_bucket")]
