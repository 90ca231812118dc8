from django.db import migrations

from analytics.storage.ddl import sql_file


class Migration(migrations.Migration):
    dependencies = [("analytics", "0020_slices_of_details")]
    operations = [sql_file("0021_few_rows")]
