import pytest
import time_machine
from django.core.management import CommandError, call_command

from billing.invoicing import running
from tests.world import catalog

pytestmark = pytest.mark.django_db(transaction=True)


def reconcile():
    with time_machine.travel(catalog.IN_NOVEMBER, tick=False):
        call_command("reconcile")


@pytest.fixture
def acme():
    catalog.seller()
    catalog.gpu_hours()
    catalog.subscription(catalog.customer("acme"), catalog.plan())
    catalog.run_gpus("acme", catalog.OCTOBER.start, 4)
    running.run(as_of=catalog.IN_NOVEMBER, at=catalog.IN_NOVEMBER)


class TestReconcile:
    def test_finds_nothing_where_all_is_well(self, acme, capsys):
        reconcile()
        assert capsys.readouterr().out == "No difference found.\n"

    def test_lists_what_differs_with_exit_status_1(self, acme, capsys):
        catalog.run_gpus("acme", catalog.OCTOBER.start, 2)
        with pytest.raises(CommandError, match="One difference found") as caught:
            reconcile()
        assert caught.value.returncode == 1
        assert capsys.readouterr().out == (
            "INV-000001 acme-gpu-cloud: gpu: invoiced 10.00, usage of today gives 15.00: 5.00 more is due\n"
        )
