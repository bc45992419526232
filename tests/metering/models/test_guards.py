import pytest
from django.db import IntegrityError, connection, transaction

from metering.models import EventKey


@pytest.fixture
def event_key(db):
    return EventKey.objects.create(
        key="00000000-0000-0000-0000-000000000001",
        content="00000000-0000-0000-0000-000000000002",
        time="2026-10-01T00:00:00Z",
        batch_id=1,
    )


class TestEventKey:
    @pytest.mark.parametrize(
        "statement", ["update metering_eventkey set batch_id = 2", "delete from metering_eventkey"]
    )
    def test_refuses_changes_by_raw_sql(self, event_key, statement):
        with transaction.atomic(), connection.cursor() as cursor:
            with pytest.raises(IntegrityError, match="append-only"):
                cursor.execute(statement)
            transaction.set_rollback(True)

    @pytest.mark.parametrize("table", ["metering_event", "metering_eventkey", "metering_eventkey_07"])
    def test_refuses_truncate_where_no_test_asked_for_it(self, db, table):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("set local meterbook.allow_truncate = 'off'")
            with pytest.raises(IntegrityError, match="kept for ever"):
                cursor.execute(f"truncate {table}")
            transaction.set_rollback(True)
