"""Subscriptions have a trial, pauses, and a history of how their billing periods are counted."""

import django.contrib.postgres.fields.ranges
import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F, Q

INTERVALS = [("DAY", "Day"), ("WEEK", "Week"), ("MONTH", "Month"), ("QUARTER", "Quarter"), ("YEAR", "Year")]

NO_OVERLAP = """
alter table billing_subscriptionpause
    add constraint pauses_of_a_subscription_do_not_overlap
    exclude using gist (int8range(subscription_id, subscription_id, '[]') with &&, validity with &&);
"""

# Until now a subscription had the interval of its first plan for ever.
FIRST_CYCLES = """
insert into billing_subscriptioncycle
    (subscription_id, start_at, anchor_date, timezone, interval, interval_count)
select distinct on (s.id) s.id, s.start_at, s.anchor_date, s.timezone, p.interval, p.interval_count
from billing_subscription s
join billing_subscriptionphase f on f.subscription_id = s.id
join billing_plan p on p.id = f.plan_id
order by s.id, lower(f.validity);
update billing_subscription set next_advance_at = next_billing_at
where next_billing_at is not null and (end_at is null or next_billing_at < end_at);
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0004_catalogue_prices")]
    operations = [
        migrations.RunSQL("set local lock_timeout = '5s'", migrations.RunSQL.noop),
        migrations.AddField(
            model_name="customer",
            name="merged_into",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="merged_customers",
                to="billing.customer",
            ),
        ),
        migrations.AddField(
            model_name="subscription",
            name="trial_end_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="subscription",
            name="next_advance_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddConstraint(
            model_name="subscription",
            constraint=models.CheckConstraint(
                condition=Q(trial_end_at__isnull=True) | Q(trial_end_at__gt=F("start_at")),
                name="trial_ends_after_its_start",
            ),
        ),
        migrations.AddIndex(
            model_name="subscription",
            index=models.Index(
                condition=Q(next_advance_at__isnull=False),
                fields=["next_advance_at"],
                name="subscription_due_in_advance",
            ),
        ),
        migrations.CreateModel(
            name="SubscriptionCycle",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("start_at", models.DateTimeField()),
                ("anchor_date", models.DateField()),
                ("timezone", models.CharField(max_length=64)),
                ("interval", models.CharField(choices=INTERVALS, max_length=10)),
                ("interval_count", models.PositiveIntegerField(default=1)),
                (
                    "subscription",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="cycles",
                        to="billing.subscription",
                    ),
                ),
            ],
            options={"ordering": ["subscription_id", "start_at"]},
        ),
        migrations.CreateModel(
            name="SubscriptionPause",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("validity", django.contrib.postgres.fields.ranges.DateTimeRangeField()),
                (
                    "subscription",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="pauses",
                        to="billing.subscription",
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="subscriptioncycle",
            constraint=models.UniqueConstraint(
                fields=("subscription", "start_at"), name="cycles_of_a_subscription_start_once"
            ),
        ),
        migrations.RunSQL(NO_OVERLAP, migrations.RunSQL.noop),
        migrations.RunSQL(FIRST_CYCLES, migrations.RunSQL.noop),
    ]
