"""The built-in templates and their endpoints."""

from importlib import resources

import httpx
import pytest

from crewai_runner.domain.local_model import MODEL_ID
from crewai_runner.domain.tools import TOOLS
from crewai_runner.domain.workflow_yaml.cross_references import Registry
from crewai_runner.domain.workflow_yaml.document import parse
from crewai_runner.domain.workflow_yaml.run_inputs import input_problems
from crewai_runner.features.templates.service import TemplateService
from tests.support.principals import ANONYMOUS, AS_DOCUMENT_READER

DOCUMENTS = {
    path.name.removesuffix(".yaml"): path.read_bytes().decode("utf-8")
    for path in (resources.files("crewai_runner.features.templates") / "documents").iterdir()
    if path.name.endswith(".yaml")
}


def test_every_document_is_in_the_catalogue() -> None:
    assert {template.name for template in TemplateService().list().templates} == set(DOCUMENTS)


@pytest.mark.parametrize("name", DOCUMENTS)
class TestEachTemplate:
    def test_has_no_problems_on_a_new_server(self, name: str) -> None:
        registry = Registry(
            models=frozenset({MODEL_ID}),
            embedders=frozenset(),
            tools=frozenset(TOOLS),
            mcp_servers=frozenset(),
        )

        parsed = parse(DOCUMENTS[name], registry)

        assert (parsed.problems, [warning.message for warning in parsed.warnings]) == ([], [])

    def test_runs_without_inputs(self, name: str) -> None:
        definition = parse(DOCUMENTS[name]).definition

        assert definition is not None
        assert input_problems(definition, {})[1] == []

    def test_uses_the_built_in_model_exactly_if_listed_so(self, name: str) -> None:
        definition = parse(DOCUMENTS[name]).definition

        assert definition is not None
        named = {choice.name for choice in definition.model_choices()}
        assert (named == {MODEL_ID}) is TemplateService().get(name).runs_on_local_model

    def test_has_description_requirements_and_tags(self, name: str) -> None:
        template = TemplateService().get(name)

        assert template.description
        assert template.needs.endswith(".")
        assert template.tags
        assert (template.agents > 0, template.tasks > 0) == (True, True)
        assert template.yaml == DOCUMENTS[name]


class TestEndpoints:
    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        assert (await client.get("/templates", headers=ANONYMOUS)).status_code == 401
        assert (await client.get("/templates/daily-brief", headers=ANONYMOUS)).status_code == 401
        assert (await client.get("/templates", headers=AS_DOCUMENT_READER)).status_code == 200

    async def test_list_starts_with_a_template_for_the_built_in_model(
        self, client: httpx.AsyncClient
    ) -> None:
        templates = (await client.get("/templates")).json()["templates"]

        assert templates[0]["title"] == "Daily brief"
        assert templates[0]["runsOnLocalModel"] is True

    async def test_document_can_be_saved(self, client: httpx.AsyncClient) -> None:
        template = (await client.get("/templates/daily-brief")).json()

        saved = await client.post("/workflows", json={"yaml": template["yaml"]})

        assert saved.status_code == 201, saved.text
        assert saved.json()["workflow"]["yaml"] == template["yaml"]

    @pytest.mark.parametrize("name", ["nothing", "..%2F..%2Fcatalogue.toml", "daily-brief.yaml"])
    async def test_unknown_name(self, client: httpx.AsyncClient, name: str) -> None:
        assert (await client.get(f"/templates/{name}")).status_code == 404
