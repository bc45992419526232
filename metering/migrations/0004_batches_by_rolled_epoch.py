"""An index for what counts stored events for new meters: which batches were rolled up before them?"""

from django.db import migrations

INDEX = """
set local lock_timeout = '5s';
create index if not exists event_batch_by_rolled_epoch on metering_eventbatch (rolled_epoch, id);
"""


class Migration(migrations.Migration):
    dependencies = [("metering", "0003_reading_event_values")]
    operations = [migrations.RunSQL(INDEX, "drop index if exists event_batch_by_rolled_epoch")]
