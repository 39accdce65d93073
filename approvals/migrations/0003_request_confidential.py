from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("approvals", "0002_figures_by_time")]

    operations = [
        migrations.AddField(
            model_name="approvalrequest",
            name="confidential",
            field=models.BooleanField(default=False, help_text="Its case is for the people named on it only."),
        ),
    ]
