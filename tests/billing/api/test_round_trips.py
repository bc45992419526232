"""Every plan of the money stories leaves through REST, a file and the console, and comes back as the same."""

import pytest
from django.core.management import call_command

from billing import publishing
from billing.models import PlanVersion
from metering import defining
from tests.billing.console import month
from tests.scenarios.rating.test_scenarios import SCENARIOS, request_of
from tests.world import catalog

pytestmark = pytest.mark.django_db


def plans_of(request):
    """The plan documents of a scenario by code; of versions of one plan the last."""
    if "plan" in request:
        return {request["plan"]["code"]: request["plan"]}
    return {each["plan"]["code"]: each["plan"] for each in request["segments"]}


STORIES = [
    pytest.param(request, document, id=path.stem)
    for path in SCENARIOS
    if "Refused" not in path.read_text()
    for request in [request_of(path)]
    for document in plans_of(request).values()
]


def define_meters(request, document):
    """The meters of the scenario; in place of those that cannot be stored, or are left out, plain sums."""
    given = {
        each["slug"]: each for each in request.get("meters", []) if each["aggregation"] != "TIME_WEIGHTED"
    }
    for slug, dimensions in priced(document["components"]).items():
        usual = {"slug": slug, "name": slug, "event_type": slug, "aggregation": "SUM", "value": "amount"}
        meter = given.get(slug, {**usual, "dimensions": {name: name for name in sorted(dimensions)}})
        defining.apply(document=meter, at=catalog.LONG_AGO)


def priced(components):
    """The meters that are priced, each with the dimensions that its prices name."""
    found = {}
    for component in components:
        for slug, names in priced(component.get("components", [])).items():
            found.setdefault(slug, set()).update(names)
        if component.get("meter"):
            names = {
                *component.get("where", {}),
                *component.get("per", []),
                *component["price"].get("by", []),
            }
            found.setdefault(component["meter"], set()).update(names - {"subject"})
    return found


class TestPlans:
    @pytest.mark.parametrize(("story", "document"), STORIES)
    def test_come_back_as_they_were(self, ask, client, capsys, tmp_path, story, document):
        define_meters(story, document)
        code = document["code"]
        publishing.apply(document=document, at=catalog.LONG_AGO)
        capsys.readouterr()

        over_rest = ask("GET", f"/plans/{code}/document").content
        assert ask("POST", "/plans", over_rest).json()["outcome"] == "unchanged"

        for format in ("yaml", "json"):
            call_command("plans", "export", code, "--format", format)
            file = tmp_path / f"plan.{format}"
            file.write_text(capsys.readouterr().out)
            call_command("plans", "apply", str(file))
            assert capsys.readouterr().out == f"{code}: unchanged, version 1\n"

        client.force_login(month.owner())
        shown = client.get(f"/console/plans/upload/?plan={code}").context["form"].initial["text"]
        assert client.post("/console/plans/upload/", {"text": shown}).url == f"/console/plans/{code}/1/"
        assert PlanVersion.objects.count() == 1
