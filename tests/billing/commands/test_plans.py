import pytest
from django.core.management import CommandError, call_command

from billing.models import Plan, PlanVersion
from tests.world import catalog

pytestmark = pytest.mark.django_db

CHEAP = """
- code: gpu-cloud
  name: GPU Cloud
  currency: USD
  components:
    - {code: gpu, meter: gpu_hours, price: {model: per_unit, unit_amount: 2.50}}
- {code: support, currency: USD, components: [{code: fee, price: {model: flat, amount: 100}}]}
"""
DEAR = CHEAP.replace("2.50", "3.00")


@pytest.fixture
def plans(tmp_path, capsys):
    """Runs the command on a file of that text; the lines of its standard output."""
    catalog.gpu_hours()

    def run(action, text):
        path = tmp_path / "plans.yaml"
        path.write_text(text)
        call_command("plans", action, str(path))
        return capsys.readouterr().out.splitlines()

    return run


class TestApply:
    def test_creates_publishes_and_then_changes_nothing(self, plans):
        assert plans("apply", CHEAP) == ["gpu-cloud: created, version 1", "support: created, version 1"]
        assert plans("apply", CHEAP) == ["gpu-cloud: unchanged, version 1", "support: unchanged, version 1"]
        assert plans("apply", DEAR) == ["gpu-cloud: published, version 2", "support: unchanged, version 1"]

    def test_names_a_wrong_key_and_its_place_and_does_nothing(self, plans):
        with pytest.raises(CommandError) as caught:
            plans("apply", CHEAP.replace("amount: 100", "amunt: 100"))
        assert "plans[1].components[0].price.amunt: unknown key, did you mean amount?" in str(caught.value)
        assert "\n" not in str(caught.value)
        assert caught.value.returncode == 1
        assert not Plan.objects.exists()

    def test_tells_that_a_file_is_missing(self, plans, tmp_path):
        with pytest.raises(CommandError, match="cannot be read"):
            call_command("plans", "apply", str(tmp_path / "none.yaml"))


class TestDiff:
    def test_says_what_apply_would_change_and_changes_nothing(self, plans):
        plans("apply", CHEAP)
        assert plans("diff", DEAR) == [
            "gpu-cloud: component gpu: price.unit_amount 2.5 -> 3",
            "support: nothing would change",
        ]
        assert PlanVersion.objects.count() == 2

    def test_names_a_plan_that_is_new(self, plans):
        assert plans("diff", CHEAP) == ["gpu-cloud: new plan with gpu", "support: new plan with fee"]
