from django.db import migrations

from analytics.storage.ddl import sql_file


class Migration(migrations.Migration):
    dependencies = [("analytics", "0002_price_book")]
    operations = [sql_file("0002_rollups")]
