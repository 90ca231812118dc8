from django.db import migrations

from analytics.storage.ddl import sql_file


class Migration(migrations.Migration):
    dependencies = [("analytics", "0036_unpriced_by_bucket")]
    operations = [sql_file("0037_slices_of_a_minute")]
