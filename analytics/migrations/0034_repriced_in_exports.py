from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("analytics", "0033_phrases")]
    operations = [
        migrations.AddField(
            model_name="exportjob",
            name="repriced",
            field=models.BigIntegerField(null=True),
        ),
    ]
