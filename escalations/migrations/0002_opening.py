from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('escalations', '0002_access'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='escalation',
            index=models.Index(fields=['owner', 'state'], name='case_owner'),
        ),
    ]
