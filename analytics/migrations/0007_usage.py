from django.db import migrations

from analytics.storage.ddl import sql_file


class Migration(migrations.Migration):
    dependencies = [("analytics", "0006_costs")]
    operations = [sql_file("0006_usage")]
