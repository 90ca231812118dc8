from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("analytics", "0031_identifiers")]
    operations = [
        migrations.RemoveField(model_name="budgetperiod", name="rises"),
        migrations.RemoveField(model_name="delivery", name="project_id"),
    ]
