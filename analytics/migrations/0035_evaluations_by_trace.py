from django.db import migrations

from analytics.storage.ddl import sql_file


class Migration(migrations.Migration):
    dependencies = [("analytics", "0034_repriced_in_exports")]
    operations = [sql_file("0035_evaluations_by_trace")]
