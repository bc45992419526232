"""Triggers keep what plans, customers and subscriptions were like after each change, and who made it."""

import billing.models.customer
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
import pghistory.utils
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


_TABLES = (
    *("customer", "customersubject", "plan", "planversion"),
    *("subscription", "subscriptionpause", "subscriptionphase"),
)
# Row triggers, which keep the rows from being changed or deleted, do not see TRUNCATE.
NOT_TRUNCATED = "".join(
    f"create trigger {table}_history_is_not_truncated before truncate on billing_{table}history "
    "for each statement execute function meterbook_refuse_truncate();\n"
    for table in _TABLES
)


class Migration(migrations.Migration):

    dependencies = [
        ("billing", "0011_exports_as_jobs"),
        ("metering", "0002_guards"),
    ]

    operations = [
        migrations.RunSQL("set local lock_timeout = '5s'", migrations.RunSQL.noop),
        migrations.CreateModel(
            name='CustomerHistory',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('pgh_context', pghistory.utils.JSONField(null=True)),
                ('pgh_context_id', models.UUIDField(null=True)),
                ('id', models.BigIntegerField()),
                ('key', models.CharField(max_length=100)),
                ('name', models.CharField(max_length=200)),
                ('legal_name', models.CharField(blank=True, max_length=300)),
                ('tax_id', models.CharField(blank=True, max_length=50, verbose_name='tax id')),
                ('address', models.TextField(blank=True)),
                ('email', models.EmailField(blank=True, max_length=254)),
                ('currency', models.CharField(help_text='ISO 4217', max_length=3)),
                ('timezone', models.CharField(default='UTC', max_length=64, validators=[billing.models.customer.check_timezone])),
                ('locale', models.CharField(default='en', max_length=20)),
                ('grace_hours', models.PositiveIntegerField(blank=True, help_text="empty: the seller's", null=True)),
                ('due_days', models.PositiveIntegerField(blank=True, help_text="empty: the seller's", null=True)),
                ('created_at', models.DateTimeField()),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='CustomerSubjectHistory',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('pgh_context', pghistory.utils.JSONField(null=True)),
                ('pgh_context_id', models.UUIDField(null=True)),
                ('id', models.BigIntegerField()),
                ('subject', models.TextField()),
                ('validity', django.contrib.postgres.fields.ranges.DateTimeRangeField()),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='PlanHistory',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('pgh_context', pghistory.utils.JSONField(null=True)),
                ('pgh_context_id', models.UUIDField(null=True)),
                ('id', models.BigIntegerField()),
                ('code', models.CharField(max_length=100)),
                ('name', models.CharField(max_length=200)),
                ('currency', models.CharField(help_text='ISO 4217', max_length=3)),
                ('interval', models.CharField(choices=[('DAY', 'Day'), ('WEEK', 'Week'), ('MONTH', 'Month'), ('QUARTER', 'Quarter'), ('YEAR', 'Year')], default='MONTH', max_length=10)),
                ('interval_count', models.PositiveIntegerField(default=1, help_text='intervals in one billing period')),
                ('created_at', models.DateTimeField()),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='PlanVersionHistory',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('pgh_context', pghistory.utils.JSONField(null=True)),
                ('pgh_context_id', models.UUIDField(null=True)),
                ('id', models.BigIntegerField()),
                ('number', models.PositiveIntegerField()),
                ('effective_at', models.DateTimeField(blank=True, null=True)),
                ('migration', models.CharField(choices=[('AT_ONCE', 'Existing subscriptions move at once'), ('NEXT_PERIOD', 'Existing subscriptions move at their next period'), ('NEVER', 'Existing subscriptions keep their version')], default='NEXT_PERIOD', max_length=20)),
                ('published_at', models.DateTimeField()),
                ('published_by', models.CharField(blank=True, max_length=200)),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='SubscriptionHistory',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('pgh_context', pghistory.utils.JSONField(null=True)),
                ('pgh_context_id', models.UUIDField(null=True)),
                ('id', models.BigIntegerField()),
                ('key', models.CharField(max_length=100)),
                ('anchor_date', models.DateField()),
                ('timezone', models.CharField(max_length=64)),
                ('start_at', models.DateTimeField()),
                ('end_at', models.DateTimeField(blank=True, null=True)),
                ('trial_end_at', models.DateTimeField(blank=True, null=True)),
                ('created_at', models.DateTimeField()),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='SubscriptionPauseHistory',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('pgh_context', pghistory.utils.JSONField(null=True)),
                ('pgh_context_id', models.UUIDField(null=True)),
                ('id', models.BigIntegerField()),
                ('validity', django.contrib.postgres.fields.ranges.DateTimeRangeField()),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='SubscriptionPhaseHistory',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('pgh_context', pghistory.utils.JSONField(null=True)),
                ('pgh_context_id', models.UUIDField(null=True)),
                ('id', models.BigIntegerField()),
                ('validity', django.contrib.postgres.fields.ranges.DateTimeRangeField()),
                ('overrides', models.JSONField(blank=True, default=dict)),
            ],
            options={
                'abstract': False,
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='customer',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "billing_customerhistory" ("address", "created_at", "currency", "due_days", "email", "grace_hours", "id", "key", "legal_name", "locale", "merged_into_id", "name", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "tax_id", "timezone") VALUES (NEW."address", NEW."created_at", NEW."currency", NEW."due_days", NEW."email", NEW."grace_hours", NEW."id", NEW."key", NEW."legal_name", NEW."locale", NEW."merged_into_id", NEW."name", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, CLOCK_TIMESTAMP(), \'insert\', NEW."id", NEW."tax_id", NEW."timezone"); RETURN NULL;', hash='9267e9b502ae07af52b1c9cf5a5eb804d5907a1c', operation='INSERT', pgid='pgtrigger_insert_insert_c2b2e', table='billing_customer', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='customer',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "billing_customerhistory" ("address", "created_at", "currency", "due_days", "email", "grace_hours", "id", "key", "legal_name", "locale", "merged_into_id", "name", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "tax_id", "timezone") VALUES (NEW."address", NEW."created_at", NEW."currency", NEW."due_days", NEW."email", NEW."grace_hours", NEW."id", NEW."key", NEW."legal_name", NEW."locale", NEW."merged_into_id", NEW."name", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, CLOCK_TIMESTAMP(), \'update\', NEW."id", NEW."tax_id", NEW."timezone"); RETURN NULL;', hash='a2ee27f6b118035d6663663ef15d970a9e4f889a', operation='UPDATE', pgid='pgtrigger_update_update_19b92', table='billing_customer', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='customer',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "billing_customerhistory" ("address", "created_at", "currency", "due_days", "email", "grace_hours", "id", "key", "legal_name", "locale", "merged_into_id", "name", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "tax_id", "timezone") VALUES (OLD."address", OLD."created_at", OLD."currency", OLD."due_days", OLD."email", OLD."grace_hours", OLD."id", OLD."key", OLD."legal_name", OLD."locale", OLD."merged_into_id", OLD."name", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, CLOCK_TIMESTAMP(), \'delete\', OLD."id", OLD."tax_id", OLD."timezone"); RETURN NULL;', hash='6e702c4805442abf6b9c1ff20053e65fc621f2f6', operation='DELETE', pgid='pgtrigger_delete_delete_80c1a', table='billing_customer', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='customersubject',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "billing_customersubjecthistory" ("customer_id", "id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "subject", "subscription_id", "validity") VALUES (NEW."customer_id", NEW."id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, CLOCK_TIMESTAMP(), \'insert\', NEW."id", NEW."subject", NEW."subscription_id", NEW."validity"); RETURN NULL;', hash='0c056a4a37b9d8a0b24118b1f2da58ae145d2c9b', operation='INSERT', pgid='pgtrigger_insert_insert_80d09', table='billing_customersubject', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='customersubject',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "billing_customersubjecthistory" ("customer_id", "id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "subject", "subscription_id", "validity") VALUES (NEW."customer_id", NEW."id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, CLOCK_TIMESTAMP(), \'update\', NEW."id", NEW."subject", NEW."subscription_id", NEW."validity"); RETURN NULL;', hash='556b80f79c8e0ee27d1e32196fdd932a793fb6e9', operation='UPDATE', pgid='pgtrigger_update_update_c3c3a', table='billing_customersubject', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='customersubject',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "billing_customersubjecthistory" ("customer_id", "id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "subject", "subscription_id", "validity") VALUES (OLD."customer_id", OLD."id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, CLOCK_TIMESTAMP(), \'delete\', OLD."id", OLD."subject", OLD."subscription_id", OLD."validity"); RETURN NULL;', hash='065bff579244a9062b5264139adeddf523f68ca7', operation='DELETE', pgid='pgtrigger_delete_delete_56686', table='billing_customersubject', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='plan',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "billing_planhistory" ("code", "created_at", "currency", "id", "interval", "interval_count", "name", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (NEW."code", NEW."created_at", NEW."currency", NEW."id", NEW."interval", NEW."interval_count", NEW."name", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, CLOCK_TIMESTAMP(), \'insert\', NEW."id"); RETURN NULL;', hash='9d7b7752f49bca664d5547e084f807404a42b98f', operation='INSERT', pgid='pgtrigger_insert_insert_85755', table='billing_plan', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='plan',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "billing_planhistory" ("code", "created_at", "currency", "id", "interval", "interval_count", "name", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (NEW."code", NEW."created_at", NEW."currency", NEW."id", NEW."interval", NEW."interval_count", NEW."name", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, CLOCK_TIMESTAMP(), \'update\', NEW."id"); RETURN NULL;', hash='e8d798393c7b29e300a6bfb36b0f7efaeb22b557', operation='UPDATE', pgid='pgtrigger_update_update_586bc', table='billing_plan', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='plan',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "billing_planhistory" ("code", "created_at", "currency", "id", "interval", "interval_count", "name", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (OLD."code", OLD."created_at", OLD."currency", OLD."id", OLD."interval", OLD."interval_count", OLD."name", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, CLOCK_TIMESTAMP(), \'delete\', OLD."id"); RETURN NULL;', hash='0168641fd990eb4c182d95589cada84c2c4ee818', operation='DELETE', pgid='pgtrigger_delete_delete_92eaf', table='billing_plan', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='planversion',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "billing_planversionhistory" ("effective_at", "id", "migration", "number", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "plan_id", "published_at", "published_by") VALUES (NEW."effective_at", NEW."id", NEW."migration", NEW."number", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, CLOCK_TIMESTAMP(), \'insert\', NEW."id", NEW."plan_id", NEW."published_at", NEW."published_by"); RETURN NULL;', hash='6f8ac67001c563db53f392a6bcb3327a22cb7d5f', operation='INSERT', pgid='pgtrigger_insert_insert_c938c', table='billing_planversion', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='subscription',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "billing_subscriptionhistory" ("anchor_date", "created_at", "customer_id", "end_at", "id", "key", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "start_at", "timezone", "trial_end_at") VALUES (NEW."anchor_date", NEW."created_at", NEW."customer_id", NEW."end_at", NEW."id", NEW."key", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, CLOCK_TIMESTAMP(), \'insert\', NEW."id", NEW."start_at", NEW."timezone", NEW."trial_end_at"); RETURN NULL;', hash='650bea84c140abb08dca315b6fccd922c2e1e7c7', operation='INSERT', pgid='pgtrigger_insert_insert_6f62d', table='billing_subscription', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='subscription',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."anchor_date" IS DISTINCT FROM (NEW."anchor_date") OR OLD."created_at" IS DISTINCT FROM (NEW."created_at") OR OLD."customer_id" IS DISTINCT FROM (NEW."customer_id") OR OLD."end_at" IS DISTINCT FROM (NEW."end_at") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."key" IS DISTINCT FROM (NEW."key") OR OLD."start_at" IS DISTINCT FROM (NEW."start_at") OR OLD."timezone" IS DISTINCT FROM (NEW."timezone") OR OLD."trial_end_at" IS DISTINCT FROM (NEW."trial_end_at"))', func='INSERT INTO "billing_subscriptionhistory" ("anchor_date", "created_at", "customer_id", "end_at", "id", "key", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "start_at", "timezone", "trial_end_at") VALUES (NEW."anchor_date", NEW."created_at", NEW."customer_id", NEW."end_at", NEW."id", NEW."key", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, CLOCK_TIMESTAMP(), \'update\', NEW."id", NEW."start_at", NEW."timezone", NEW."trial_end_at"); RETURN NULL;', hash='03f7328724110378341f3fa1ae2c9e1a3398518e', operation='UPDATE', pgid='pgtrigger_update_update_5c2d2', table='billing_subscription', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='subscription',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "billing_subscriptionhistory" ("anchor_date", "created_at", "customer_id", "end_at", "id", "key", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "start_at", "timezone", "trial_end_at") VALUES (OLD."anchor_date", OLD."created_at", OLD."customer_id", OLD."end_at", OLD."id", OLD."key", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, CLOCK_TIMESTAMP(), \'delete\', OLD."id", OLD."start_at", OLD."timezone", OLD."trial_end_at"); RETURN NULL;', hash='74121f6ec019430643ad33116e763cb56f5e56b9', operation='DELETE', pgid='pgtrigger_delete_delete_bb9c3', table='billing_subscription', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='subscriptionpause',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "billing_subscriptionpausehistory" ("id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "subscription_id", "validity") VALUES (NEW."id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, CLOCK_TIMESTAMP(), \'insert\', NEW."id", NEW."subscription_id", NEW."validity"); RETURN NULL;', hash='a192d3d5bfbccadf88b55c594dd4a5e823914676', operation='INSERT', pgid='pgtrigger_insert_insert_84420', table='billing_subscriptionpause', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='subscriptionpause',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "billing_subscriptionpausehistory" ("id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "subscription_id", "validity") VALUES (NEW."id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, CLOCK_TIMESTAMP(), \'update\', NEW."id", NEW."subscription_id", NEW."validity"); RETURN NULL;', hash='ee2835cfd2f7714c3b4949f3d8e4eb5f8e699538', operation='UPDATE', pgid='pgtrigger_update_update_b7f17', table='billing_subscriptionpause', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='subscriptionpause',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "billing_subscriptionpausehistory" ("id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "subscription_id", "validity") VALUES (OLD."id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, CLOCK_TIMESTAMP(), \'delete\', OLD."id", OLD."subscription_id", OLD."validity"); RETURN NULL;', hash='3cd1f5d1955be7c5488b5b3376c9e64b2109d646', operation='DELETE', pgid='pgtrigger_delete_delete_3e99f', table='billing_subscriptionpause', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='subscriptionphase',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "billing_subscriptionphasehistory" ("id", "overrides", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "plan_id", "subscription_id", "validity") VALUES (NEW."id", NEW."overrides", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, CLOCK_TIMESTAMP(), \'insert\', NEW."id", NEW."plan_id", NEW."subscription_id", NEW."validity"); RETURN NULL;', hash='50c2442b7b41d15ae1570529a23e3c6eb0a0002a', operation='INSERT', pgid='pgtrigger_insert_insert_4a64b', table='billing_subscriptionphase', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='subscriptionphase',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "billing_subscriptionphasehistory" ("id", "overrides", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "plan_id", "subscription_id", "validity") VALUES (NEW."id", NEW."overrides", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, CLOCK_TIMESTAMP(), \'update\', NEW."id", NEW."plan_id", NEW."subscription_id", NEW."validity"); RETURN NULL;', hash='554bb435910c86dfcd831235910a8962614b7d58', operation='UPDATE', pgid='pgtrigger_update_update_a1b9f', table='billing_subscriptionphase', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='subscriptionphase',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "billing_subscriptionphasehistory" ("id", "overrides", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "plan_id", "subscription_id", "validity") VALUES (OLD."id", OLD."overrides", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, CLOCK_TIMESTAMP(), \'delete\', OLD."id", OLD."plan_id", OLD."subscription_id", OLD."validity"); RETURN NULL;', hash='ca3450974b7ad1c6241dfaf1058b40f75894aa28', operation='DELETE', pgid='pgtrigger_delete_delete_5b4fe', table='billing_subscriptionphase', when='AFTER')),
        ),
        migrations.AddField(
            model_name='customerhistory',
            name='merged_into',
            field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='billing.customer'),
        ),
        migrations.AddField(
            model_name='customerhistory',
            name='pgh_obj',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='history', to='billing.customer'),
        ),
        migrations.AddField(
            model_name='customersubjecthistory',
            name='customer',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='billing.customer'),
        ),
        migrations.AddField(
            model_name='customersubjecthistory',
            name='pgh_obj',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='history', to='billing.customersubject'),
        ),
        migrations.AddField(
            model_name='customersubjecthistory',
            name='subscription',
            field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='billing.subscription'),
        ),
        migrations.AddField(
            model_name='planhistory',
            name='pgh_obj',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='history', to='billing.plan'),
        ),
        migrations.AddField(
            model_name='planversionhistory',
            name='pgh_obj',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='history', to='billing.planversion'),
        ),
        migrations.AddField(
            model_name='planversionhistory',
            name='plan',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='billing.plan'),
        ),
        migrations.AddField(
            model_name='subscriptionhistory',
            name='customer',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='billing.customer'),
        ),
        migrations.AddField(
            model_name='subscriptionhistory',
            name='pgh_obj',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='history', to='billing.subscription'),
        ),
        migrations.AddField(
            model_name='subscriptionpausehistory',
            name='pgh_obj',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='history', to='billing.subscriptionpause'),
        ),
        migrations.AddField(
            model_name='subscriptionpausehistory',
            name='subscription',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='billing.subscription'),
        ),
        migrations.AddField(
            model_name='subscriptionphasehistory',
            name='pgh_obj',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='history', to='billing.subscriptionphase'),
        ),
        migrations.AddField(
            model_name='subscriptionphasehistory',
            name='plan',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='billing.plan'),
        ),
        migrations.AddField(
            model_name='subscriptionphasehistory',
            name='subscription',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='billing.subscription'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='customerhistory',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='80dcca7e215d3447ba3471a9b04a541c95733d7d', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_2732d', table='billing_customerhistory', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='customersubjecthistory',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='6d572343270baabe2a3250dffd17d6ac1cecc5f4', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_5d0c5', table='billing_customersubjecthistory', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='planhistory',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='498c753775c388993d80ac59e931008d643b3c73', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_dd147', table='billing_planhistory', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='planversionhistory',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='8565f90f342a7095877a5e0418bb1e0ea8a9a9b4', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_c3693', table='billing_planversionhistory', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='subscriptionhistory',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='d0ac0a1084abe82d6db81c6ad37fa0b8089e3192', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_50435', table='billing_subscriptionhistory', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='subscriptionpausehistory',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='9e1efba77039815a0b93927c4987b624e5cbb516', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_859a6', table='billing_subscriptionpausehistory', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='subscriptionphasehistory',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='d26daca717e2dba55b9a42d1da0148d5d9000fda', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_976ca', table='billing_subscriptionphasehistory', when='BEFORE')),
        ),
        migrations.RunSQL(NOT_TRUNCATED, migrations.RunSQL.noop),
    ]
