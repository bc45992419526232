"""The independent sums, against the totals that are known of the files."""

from fractions import Fraction

from config.demo import totals

TENANTS = 16


class TestFromFiles:
    def test_adds_up_the_helios_tenants_to_the_last_third_of_a_minute(self):
        sums = totals.from_files(every=1)
        hours = [quantity for (_subject, meter), quantity in sums.items() if meter == "gpu_hours"]
        assert len(hours) == TENANTS
        assert sum(hours) == Fraction(25486357, 60)

    def test_adds_up_each_azure_service(self):
        sums = totals.from_files(every=1)
        assert [sums["azure-code", meter] for meter in ("model_calls", "input_tokens", "output_tokens")] == [
            8819,
            18059974,
            245896,
        ]
        assert [sums["azure-conv", meter] for meter in ("model_calls", "input_tokens", "output_tokens")] == [
            19366,
            22361870,
            4088665,
        ]

    def test_counts_minutes_of_run_time_without_idle_ones(self):
        # 744 hours of May are 44,640 minutes; vc8Sj stood still for 4,712 of them.
        assert totals.from_files(every=1)["vc8Sj", "run_minutes"] == 44640 - 4712

    def test_of_a_tenth_holds_every_customer(self):
        sums = totals.from_files(every=10)
        assert len(sums) == TENANTS * 2 + 2 * 3
        assert sums["azure-code", "model_calls"] == 881
