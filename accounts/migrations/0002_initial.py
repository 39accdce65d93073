import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '0001_initial'),
        ('ledger', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='importrun',
            name='file',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='ledger.storedfile'),
        ),
        migrations.AddField(
            model_name='importproblem',
            name='run',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='problems', to='accounts.importrun'),
        ),
        migrations.AddField(
            model_name='roleholding',
            name='role',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='holdings', to='accounts.role'),
        ),
        migrations.AddField(
            model_name='roleholding',
            name='user',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='holdings', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='signal',
            name='account',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='signals', to='accounts.account'),
        ),
        migrations.AddField(
            model_name='signal',
            name='contact',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='signals', to='accounts.contact'),
        ),
        migrations.AddField(
            model_name='signal',
            name='logged_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='signals_logged', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='subscription',
            name='account',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='subscriptions', to='accounts.account'),
        ),
        migrations.AddConstraint(
            model_name='user',
            constraint=models.UniqueConstraint(django.db.models.functions.text.Lower('email'), name='user_email_ci'),
        ),
        migrations.AddConstraint(
            model_name='account',
            constraint=models.UniqueConstraint(fields=('source', 'external_id'), name='account_once_per_source'),
        ),
        migrations.AddConstraint(
            model_name='account',
            constraint=models.CheckConstraint(condition=models.Q(('health__isnull', True), ('health__lte', 100), _connector='OR'), name='account_health_range'),
        ),
        migrations.AddConstraint(
            model_name='calendarspan',
            constraint=models.CheckConstraint(condition=models.Q(('opens__lt', models.F('closes')), ('closes__lte', 1440)), name='span_opens_before_it_closes'),
        ),
        migrations.AddConstraint(
            model_name='contact',
            constraint=models.UniqueConstraint(django.db.models.functions.text.Lower('email'), name='contact_email_ci'),
        ),
        migrations.AddConstraint(
            model_name='roleholding',
            constraint=models.CheckConstraint(condition=models.Q(('ends__isnull', True), ('ends__gt', models.F('starts')), _connector='OR'), name='holding_ends_after_start'),
        ),
        migrations.AddIndex(
            model_name='signal',
            index=models.Index(fields=['account', '-at'], name='signal_by_account'),
        ),
        migrations.AddConstraint(
            model_name='signal',
            constraint=models.UniqueConstraint(fields=('source', 'external_id'), name='signal_once_per_source'),
        ),
        migrations.AddConstraint(
            model_name='subscription',
            constraint=models.UniqueConstraint(fields=('source', 'external_id'), name='subscription_once_per_source'),
        ),
    ]
