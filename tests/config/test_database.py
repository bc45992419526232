from config import database


class TestConnection:
    def test_takes_every_part_of_the_address(self):
        entry = database.connection(
            url="postgresql://us%40er:p%2Fw@db.example:6543/bills?sslmode=require", max_age_s=60
        )
        assert entry["USER"] == "us@er"
        assert entry["PASSWORD"] == "p/w"
        assert (entry["HOST"], entry["PORT"], entry["NAME"]) == ("db.example", "6543", "bills")
        assert entry["OPTIONS"]["sslmode"] == "require"
        assert entry["CONN_MAX_AGE"] == 60

    def test_works_in_utc(self):
        entry = database.connection(url="postgresql://u@h/d", max_age_s=0)
        assert "-c timezone=UTC" in entry["OPTIONS"]["options"]
