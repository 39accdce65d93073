import django.db.models.deletion
import ledger.now
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('ledger', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Outage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('channel', models.CharField(max_length=10, unique=True)),
                ('since', models.DateTimeField()),
                ('tries', models.PositiveIntegerField(default=0)),
                ('retry_at', models.DateTimeField()),
                ('detail', models.CharField(blank=True, max_length=500)),
            ],
        ),
        migrations.CreateModel(
            name='DigestHour',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('hour', models.PositiveSmallIntegerField(default=8)),
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='digest_hour', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='InboundMail',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('message_id', models.CharField(max_length=255, unique=True)),
                ('state', models.CharField(choices=[('waiting', 'Waiting for a person'), ('claimed', 'Placed'), ('automatic', 'Automatic, kept only'), ('dismissed', 'Dismissed'), ('refused', 'Could not be read'), ('quarantine', 'In quarantine: not proven to be from its sender')], db_index=True, default='waiting', max_length=10)),
                ('sender', models.CharField(blank=True, db_index=True, max_length=254)),
                ('sender_name', models.CharField(blank=True, max_length=200)),
                ('recipients', models.JSONField(default=list)),
                ('subject', models.CharField(blank=True, max_length=500)),
                ('sent_at', models.DateTimeField(blank=True, null=True)),
                ('received_at', models.DateTimeField(default=ledger.now.now)),
                ('text', models.TextField(blank=True, help_text='The whole text part.')),
                ('visible_text', models.TextField(blank=True, help_text='The text that the sender wrote, without quotations.')),
                ('in_reply_to', models.CharField(blank=True, max_length=255)),
                ('references', models.JSONField(default=list)),
                ('automatic', models.CharField(blank=True, max_length=16)),
                ('single_from', models.CharField(blank=True, help_text='The address of its only From header; empty if there is any doubt.', max_length=254)),
                ('auth_results', models.JSONField(blank=True, default=list, help_text='Its Authentication-Results headers, unchanged, oldest last.')),
                ('own_words', models.BooleanField(default=True, help_text='Whether the visible text was typed by the sender, not taken from a forwarded mail.')),
                ('note', models.CharField(blank=True, help_text='Why it has this state.', max_length=300)),
                ('handled_at', models.DateTimeField(blank=True, null=True)),
                ('handled_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('raw', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, to='ledger.storedfile')),
            ],
            options={
                'ordering': ['-received_at', '-id'],
            },
        ),
        migrations.CreateModel(
            name='Message',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=200)),
                ('kind', models.CharField(help_text='Such as handoff, approval, breach, customer_update.', max_length=40)),
                ('channel', models.CharField(default='email', help_text='A name of messaging.channels.registry.', max_length=10)),
                ('state', models.CharField(choices=[('pending', 'Waiting'), ('sent', 'Sent'), ('parked', 'Needs attention'), ('dropped', 'No longer wanted')], default='pending', max_length=10)),
                ('address', models.CharField(help_text='Address on the channel, such as a mail address.', max_length=500)),
                ('reply_to', models.CharField(blank=True, max_length=254)),
                ('subject', models.CharField(blank=True, max_length=300)),
                ('text', models.TextField()),
                ('html', models.TextField(blank=True)),
                ('message_id', models.CharField(max_length=200)),
                ('thread_id', models.CharField(blank=True, help_text='Message-ID all mails of one case refer to.', max_length=200)),
                ('case_key', models.CharField(blank=True, max_length=20)),
                ('account_name', models.CharField(blank=True, max_length=200)),
                ('source', models.CharField(blank=True, help_text='Prefix of its message kind and what it is about, such as handoff:12. Empty: sent as written.', max_length=160)),
                ('created_at', models.DateTimeField(default=ledger.now.now)),
                ('notice_url', models.CharField(blank=True, help_text='Page of the in-app notification; emptied once the notification is written.', max_length=300)),
                ('next_try_at', models.DateTimeField(default=ledger.now.now)),
                ('leased_until', models.DateTimeField(blank=True, null=True)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('sent_at', models.DateTimeField(blank=True, null=True)),
                ('note', models.CharField(blank=True, help_text='Why it was held back or not sent.', max_length=200)),
                ('digest', models.ForeignKey(blank=True, db_index=False, help_text='The daily digest that carries it.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='collected', to='messaging.message')),
                ('user', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='mails', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-created_at', '-id'],
            },
        ),
        migrations.CreateModel(
            name='Delivery',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('ok', models.BooleanField()),
                ('detail', models.CharField(blank=True, max_length=500)),
                ('message', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='messaging.message')),
            ],
            options={
                'ordering': ['at', 'id'],
            },
        ),
        migrations.CreateModel(
            name='Notice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=200)),
                ('kind', models.CharField(max_length=40)),
                ('text', models.CharField(max_length=300)),
                ('url', models.CharField(max_length=300)),
                ('case_key', models.CharField(blank=True, max_length=20)),
                ('urgent', models.BooleanField(default=False)),
                ('at', models.DateTimeField(default=ledger.now.now)),
                ('read_at', models.DateTimeField(blank=True, null=True)),
                ('user', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='notices', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-at', '-id'],
            },
        ),
        migrations.CreateModel(
            name='Preference',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('group', models.CharField(max_length=20)),
                ('mail', models.CharField(choices=[('now', 'At once'), ('digest', 'Daily digest'), ('off', 'Off')], default='now', max_length=6)),
                ('in_app', models.BooleanField(default=True)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='preferences', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['user', 'group'],
            },
        ),
        migrations.AddIndex(
            model_name='message',
            index=models.Index(fields=['state', 'next_try_at'], name='message_due'),
        ),
        migrations.AddIndex(
            model_name='message',
            index=models.Index(fields=['case_key'], name='message_of_case'),
        ),
        migrations.AddIndex(
            model_name='message',
            index=models.Index(condition=models.Q(('sent_at__isnull', False)), fields=['address', 'sent_at'], name='message_sent_to'),
        ),
        migrations.AddIndex(
            model_name='message',
            index=models.Index(condition=models.Q(('digest__isnull', False)), fields=['digest'], name='message_held'),
        ),
        migrations.AddIndex(
            model_name='message',
            index=models.Index(condition=models.Q(('kind', 'digest')), fields=['user'], name='message_digest_of'),
        ),
        migrations.AddIndex(
            model_name='message',
            index=models.Index(condition=models.Q(('notice_url__gt', '')), fields=['id'], name='message_to_tell'),
        ),
        migrations.AddConstraint(
            model_name='message',
            constraint=models.UniqueConstraint(fields=('key',), name='message_key_once'),
        ),
        migrations.AddConstraint(
            model_name='message',
            constraint=models.UniqueConstraint(fields=('message_id',), name='message_id_once'),
        ),
        migrations.AddIndex(
            model_name='notice',
            index=models.Index(fields=['user', 'at'], name='notice_of'),
        ),
        migrations.AddIndex(
            model_name='notice',
            index=models.Index(condition=models.Q(('read_at__isnull', True)), fields=['user'], name='notice_unread'),
        ),
        migrations.AddConstraint(
            model_name='notice',
            constraint=models.UniqueConstraint(fields=('key',), name='notice_key_once'),
        ),
        migrations.AddConstraint(
            model_name='preference',
            constraint=models.UniqueConstraint(fields=('user', 'group'), name='preference_once'),
        ),
    ]
