import pytest
from django.core.management import CommandError, call_command

from billing.models import Plan, PlanVersion
from metering.documents import load_text
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
            "gpu-cloud: component gpu: price of a unit 2.5 USD -> 3 USD (+20%)",
            "support: nothing would change",
        ]
        assert PlanVersion.objects.count() == 2

    def test_names_a_plan_that_is_new(self, plans):
        assert plans("diff", CHEAP) == ["gpu-cloud: new plan with gpu", "support: new plan with fee"]


EVERYTHING = """
code: everything
name: 'yes'
currency: USD
interval: QUARTER
interval_count: 2
timezone: Asia/Shanghai
components:
  - code: reserved
    quantity: 8
    price: {model: per_unit, unit_amount: {compute: 0.12, storage: '0.030'}}
  - code: choice
    name: 算力
    combine: GREATEST
    discount_percent: 1e-05
    components:
      - code: 'on'
        meter: gpu_hours
        where: {gpu_type: [H100, 'true', '1.0', '']}
        included: {quantity: 1, every: HOUR}
        allow_negative: true
        price: {model: graduated, tiers: [{up_to: 10, unit_amount: 2}, {unit_amount: 1, flat_amount: 5}]}
      - code: night
        meter: gpu_hours
        price:
          model: time_of_use
          otherwise: 3
          windows: [{days: [MON, TUE], from: '22:00', to: '06:00', unit_amount: 1}]
discounts: [{percent: 10, name: 'null'}]
minimum: '100.00'
effective_at: '2031-01-01T00:00:00+08:00'
migration: NEVER
"""


class TestExport:
    def export(self, capsys, *arguments):
        call_command("plans", "export", *arguments)
        return capsys.readouterr().out

    @pytest.mark.parametrize("format", ["yaml", "json"])
    @pytest.mark.parametrize("text", [CHEAP, EVERYTHING])
    def test_changes_nothing_when_it_is_applied_again(self, plans, capsys, tmp_path, text, format):
        for line in plans("apply", text):
            code = line.partition(":")[0]
            file = tmp_path / f"{code}.{format}"
            file.write_text(self.export(capsys, code, "--format", format))
            call_command("plans", "apply", str(file))
            assert capsys.readouterr().out == f"{code}: unchanged, version 1\n"

    def test_has_the_document_exactly(self, plans, capsys):
        plans("apply", EVERYTHING)
        document = PlanVersion.objects.get().document
        for format in ("yaml", "json"):
            written = self.export(capsys, "everything", "--format", format)
            assert load_text(written, f"plan.{format}") == document

    def test_takes_an_earlier_version(self, plans, capsys):
        plans("apply", CHEAP)
        plans("apply", DEAR)
        assert "unit_amount: '3.00'" in self.export(capsys, "gpu-cloud")
        assert "unit_amount: '2.50'" in self.export(capsys, "gpu-cloud", "--version", "1")

    def test_says_what_there_is_not(self, plans, capsys):
        plans("apply", CHEAP)
        with pytest.raises(CommandError, match=r"There is no plan none\."):
            self.export(capsys, "none")
        with pytest.raises(CommandError, match=r"no version 7; its last one is 1\."):
            self.export(capsys, "gpu-cloud", "--version", "7")
