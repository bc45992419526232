"""The traces as events: the first rows by hand, and what must hold for all of them."""

import hashlib

import pytest

from config.demo import traces

# The files as published: a changed byte would make every other check of the demo worthless.
SHA256 = {
    "AzureLLMInferenceTrace_code.csv": "54e9a6d2a4bd06ba1e060304b900abbc74cbea53de96506e60fe5bb4f2277fb6",
    "AzureLLMInferenceTrace_conv.csv": "2f1e5b666d4e3055fdbba98598ce2ec307767b9064e03e2fa46676dbcc7d0bf8",
    traces.HELIOS_FILE: "d4e43f35a8b3d261be334b6a73c51999119d6f1701ae82d570d62455907c1397",
}


class TestFiles:
    @pytest.mark.parametrize("name", SHA256)
    def test_are_as_they_were_published(self, name):
        assert hashlib.sha256((traces.FOLDER / name).read_bytes()).hexdigest() == SHA256[name]

    def test_have_their_licences_beside_them(self):
        readme = (traces.FOLDER / "README.md").read_text()
        assert all(name in readme for name in SHA256)
        assert "CC-BY-4.0" in (traces.FOLDER / "LICENSE-azure.txt").read_text()
        assert "MIT License" in (traces.FOLDER / "LICENSE-helios.txt").read_text()


class TestModelCalls:
    def test_are_the_rows_as_events(self):
        assert traces.model_calls(every=1)[0] == {
            "specversion": "1.0",
            "id": "AzureLLMInferenceTrace_code.csv:1",
            "source": "/traces/azure-llm-2023",
            "type": "llm.call",
            "subject": "azure-code",
            "time": "2020-05-14T18:17:03.979960Z",
            "data": {"input_tokens": 4808, "output_tokens": 10},
        }

    def test_are_both_services(self):
        subjects = [event["subject"] for event in traces.model_calls(every=1)]
        assert (subjects.count("azure-code"), subjects.count("azure-conv")) == (8819, 19366)

    def test_of_a_tenth_are_every_tenth_row(self):
        ids = [event["id"] for event in traces.model_calls(every=10)]
        assert ids[:2] == ["AzureLLMInferenceTrace_code.csv:10", "AzureLLMInferenceTrace_code.csv:20"]
        assert len(ids) == 881 + 1936


class TestGpuIntervals:
    def test_are_the_rows_as_events(self):
        assert traces.gpu_intervals(every=1)[0] == {
            "specversion": "1.0",
            "id": "helios_earth_2020-05_vc_gpu_intervals.csv:1",
            "source": "/traces/helios-earth-2020",
            "type": "gpu.usage",
            "subject": "vc3sl",
            "time": "2020-05-01T00:00:00Z",
            "data": {
                "gpu_count": 59,
                "start": "2020-05-01T00:00:00Z",
                "end": "2020-05-01T00:19:00Z",
                "state": "run",
            },
        }

    def test_are_idle_where_no_gpu_ran(self):
        states = [
            (event["data"]["gpu_count"] == 0, event["data"]["state"])
            for event in traces.gpu_intervals(every=1)
        ]
        assert set(states) == {(True, "idle"), (False, "run")}
        assert states.count((True, "idle")) == 434

    def test_have_ids_of_their_own(self):
        assert len({event["id"] for event in traces.gpu_intervals(every=1)}) == 24871


class TestTenants:
    def test_are_sixteen_by_name_with_nine_different_quotas(self):
        tenants = traces.tenants()
        assert [tenant.subject for tenant in tenants][:3] == ["vc3sl", "vc6YE", "vc8Sj"]
        assert len(tenants) == 16
        assert sorted({tenant.quota_gpus for tenant in tenants}) == [8, 16, 24, 32, 48, 56, 64, 96, 208]

    def test_never_run_more_than_their_quota(self):
        quotas = {tenant.subject: tenant.quota_gpus for tenant in traces.tenants()}
        assert all(
            event["data"]["gpu_count"] <= quotas[event["subject"]] for event in traces.gpu_intervals(every=1)
        )


class TestShiftedTime:
    def test_cuts_digits_and_never_rounds(self):
        assert traces.shifted_time("2023-11-16 18:59:59.9999999") == "2020-05-14T18:59:59.999999Z"

    def test_keeps_the_weekday(self):
        assert traces.SHIFT_DAYS == 183 * 7
