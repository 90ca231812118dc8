from django.db import migrations

from analytics.storage.ddl import sql_file


class Migration(migrations.Migration):
    dependencies = [("analytics", "0019_export_schedules")]
    operations = [sql_file("0020_slices_of_details")]
