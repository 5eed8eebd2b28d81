"""Preflight reports every problem that a start would have, without starting a run."""

from typing import Any

import httpx
import pytest

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.core.setting_choices import Role
from crewai_runner.db.tables.catalog import ModelRow, ProviderRow
from crewai_runner.db.tables.workflows import WorkflowRow
from tests.support.harness import RunHarness
from tests.support.held_connections import HeldConnections
from tests.support.principals import ANONYMOUS, AS_STRANGER, OTHER_WORKSPACE, auth_headers
from tests.support.server_process import TWO_TASKS

Json = dict[str, Any]
INLINE = {"name": "mine", "type": "openai_compatible", "baseUrl": "http://127.0.0.1:9/v1"}
MANAGED = """\
name: Managed
process: hierarchical
agents:
  one: {role: R, goal: G, backstory: B, llm: other}
tasks:
  first: {description: D, expected_output: E}
  second: {description: D, expected_output: E}
budget: {max_tokens: 500, max_llm_calls: 1}
"""


async def run_preflight(client: httpx.AsyncClient, **body: Any) -> Json:
    response = await client.post("/runs/preflight", json={"workflow": TWO_TASKS} | body)
    assert response.status_code == 200, response.text
    report: Json = response.json()
    return report


async def add_model(harness: RunHarness, name: str, workspace: str = "ws_default", **columns: Any) -> None:
    async with harness.session() as session:
        endpoint = {"type": "openai_compatible", "base_url": "http://127.0.0.1:9/v1"}
        session.add(ProviderRow(id=f"prov_{name}", name=f"at {name}", workspace_id=workspace, **endpoint))
        await session.flush()
        row = {"type": "llm", "is_default": False, "workspace_id": workspace} | columns
        session.add(ModelRow(id=f"mdl_{name}", provider_id=f"prov_{name}", name=name, **row))


class TestConnections:
    @pytest.mark.parametrize("path", ["/runs/preflight", "/runs"])
    async def test_request_holds_one_connection_at_a_time(
        self, client: httpx.AsyncClient, harness: RunHarness, path: str
    ) -> None:
        connections = HeldConnections(harness.container.engine)

        response = await client.post(path, json={"workflow": TWO_TASKS})

        assert response.is_success, response.text
        assert connections.nested == []


class TestAccess:
    async def test_requires_the_permission_to_start_runs(self, client: httpx.AsyncClient) -> None:
        body = {"workflow": TWO_TASKS}

        statuses = [
            (await client.post("/runs/preflight", json=body, headers=headers)).status_code
            for headers in (ANONYMOUS, auth_headers("run-reader"), AS_STRANGER, {})
        ]

        assert statuses == [401, 403, 200, 200]

    async def test_other_workspace_sees_only_its_own_models(self, client: httpx.AsyncClient) -> None:
        response = await client.post("/runs/preflight", json={"workflow": TWO_TASKS}, headers=AS_STRANGER)

        assert (response.json()["ready"], response.json()["models"]) == (False, [])
        assert [problem["code"] for problem in response.json()["problems"]] == ["no-model"]


class TestPreflight:
    async def test_valid_run_is_ready(self, harness: RunHarness, client: httpx.AsyncClient) -> None:
        report = await run_preflight(client, budget={"maxTokens": 1000})

        assert (report["ready"], report["problems"], report["warnings"], report["estimatedCalls"]) == (
            True,
            [],
            [],
            2,
        )
        assert report["budget"] == {
            "maxTokens": 1000,
            "maxCost": None,
            "maxLlmCalls": None,
            "maxSeconds": None,
        }
        [model] = report["models"]
        assert (model["name"], model["type"], model["problem"]) == ("main", "llm", None)
        assert model["provider"] == {"id": "prov_1", "name": "scripted", "type": "openai_compatible"}
        assert model["usedBy"] == ["researcher", "writer"]

    async def test_starts_no_run_and_contacts_no_provider(
        self, harness: RunHarness, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        looked_up: list[str] = []
        policy = EgressPolicy(allow_private=True, resolve=lambda host, _port: looked_up.append(host) or [])
        monkeypatch.setattr(harness.container, "egress", policy)

        report = await run_preflight(
            client, providerConfig=INLINE | {"baseUrl": "http://models.example/v1", "models": ["m"]}
        )

        assert (report["ready"], looked_up) == (True, [])
        assert await harness.count_queued() == 0
        assert (await client.get("/runs")).json()["runs"] == []

    async def test_reports_all_problems_at_once(self, harness: RunHarness, client: httpx.AsyncClient) -> None:
        definition = MANAGED.replace("budget:", "memory: true\nembedder: nowhere\nbudget:")

        report = await run_preflight(client, workflow=definition, inputs={"unused": 1})

        assert report["ready"] is False
        reported = [(problem["code"], problem["where"]) for problem in report["problems"]]
        assert sorted(reported, key=str) == [
            ("model-not-registered", None),
            ("model-not-registered", None),
        ]
        by_name = {model["name"]: model for model in report["models"]}
        assert by_name["other"]["provider"] is None
        assert "'other'" in by_name["other"]["problem"]["message"]
        assert (by_name["nowhere"]["type"], by_name["nowhere"]["problem"]["code"]) == (
            "embedder",
            "model-not-registered",
        )
        assert by_name["main"]["usedBy"] == ["manager"]

    async def test_definition_problem_has_code_and_location(self, client: httpx.AsyncClient) -> None:
        report = await run_preflight(client, workflow=TWO_TASKS.replace("agent: writer", "agent: wrter"))

        assert (report["ready"], report["models"], report["estimatedCalls"]) == (False, [], None)
        [problem] = report["problems"]
        assert problem["code"] == "unknown-agent"
        assert problem["where"].startswith("/workflow/tasks/")

    @pytest.mark.parametrize("body", [{"workflow": None}, {"workflowId": "wf_1"}])
    async def test_requires_exactly_one_definition(self, client: httpx.AsyncClient, body: Json) -> None:
        report = await run_preflight(client, **body)

        assert [problem["code"] for problem in report["problems"]] == ["definition-invalid"]

    async def test_shows_the_tightest_budget_and_warns_when_it_is_too_tight(
        self, harness: RunHarness, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await add_model(harness, "other")
        monkeypatch.setattr(harness.container.settings, "max_cost", 2.5)

        report = await run_preflight(client, workflow=MANAGED, budget={"maxTokens": 1000, "maxCost": "9"})

        assert report["budget"] == {"maxTokens": 500, "maxLlmCalls": 1, "maxCost": "2.5", "maxSeconds": None}
        assert report["ready"] is True
        assert any("the tasks need at least 2" in warning for warning in report["warnings"])

    async def test_unknown_workflow_gets_404(self, harness: RunHarness, client: httpx.AsyncClient) -> None:
        async with harness.session() as session:
            session.add(WorkflowRow(id="wf_theirs", workspace_id=OTHER_WORKSPACE, name="Theirs"))

        for identifier in ("wf_nothing", "wf_theirs"):
            response = await client.post("/runs/preflight", json={"workflowId": identifier})
            assert (response.status_code, response.json()["title"]) == (404, "Workflow not found")

    async def test_unavailable_built_in_model_is_a_problem(
        self, harness: RunHarness, client: httpx.AsyncClient
    ) -> None:
        async with harness.session() as session:
            (await session.get_one(ProviderRow, "prov_1")).type = "local"

        report = await run_preflight(client)

        assert [problem["code"] for problem in report["problems"]] == ["local-model-unavailable"]
        assert report["models"][0]["problem"] == report["problems"][0]

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"inputs": {"topic": 3}},
            {"workflow": "name: x"},
            {"workflow": MANAGED},
            {"workflow": TWO_TASKS + "embedder: nowhere\n"},
            {"providerConfig": INLINE},
            {"providerConfig": INLINE | {"models": ["m"]}},
        ],
    )
    async def test_is_ready_exactly_when_a_start_is_accepted(
        self, client: httpx.AsyncClient, body: Json
    ) -> None:
        report = await run_preflight(client, **body)
        started = await client.post("/runs", json={"workflow": TWO_TASKS} | body)

        assert report["ready"] is (started.status_code == 202), started.text
        if not report["ready"]:
            assert started.json()["type"].endswith(
                ("/definition-invalid", "/inputs-invalid", "/no-model", "/model-not-registered")
            )


class TestWarnings:
    async def test_missing_embedder_is_one_warning(self, client: httpx.AsyncClient) -> None:
        report = await run_preflight(client, workflow=TWO_TASKS + "memory: true\n")

        assert report["ready"]
        (warning,) = [warning for warning in report["warnings"] if "embedder" in warning]
        assert "uses the built-in embedder" in warning

    async def test_settings_that_the_provider_ignores(self, client: httpx.AsyncClient) -> None:
        provider = INLINE | {"type": "anthropic", "apiKey": "sk-ant-Zq83hTx0Lw", "models": ["claude"]}
        stored = (await client.post("/providers", json={"provider": provider})).json()["provider"]
        model = {"name": "claude", "providerId": stored["id"]}
        assert (await client.post("/models", json={"model": model})).is_success
        models = MANAGED.replace("llm: other", "llm: {model: claude, seed: 1, reasoning_effort: low}")

        report = await run_preflight(client, workflow=models)
        with_provider = await run_preflight(client, workflow=models, providerConfig=provider)

        for found in (report, with_provider):
            assert found["problems"] == []
            (warning,) = [warning for warning in found["warnings"] if "claude" in warning]
            assert "`seed`, `reasoning_effort`" in warning
            assert "Anthropic does not take them" in warning

    @pytest.mark.parametrize("used_as", ["default", "alias", "named"])
    async def test_stored_settings_that_the_provider_ignores(
        self, client: httpx.AsyncClient, used_as: str
    ) -> None:
        provider = INLINE | {"type": "anthropic", "apiKey": "sk-ant-Zq83hTx0Lw"}
        stored = (await client.post("/providers", json={"provider": provider})).json()["provider"]
        settings = {"temperature": 0.5, "seed": 1, "systemRole": "user"}
        model = {"name": "claude", "providerId": stored["id"], "settings": settings}
        created = await client.post("/models", json={"model": model | {"default": used_as == "default"}})
        assert created.is_success, created.text
        name = {"default": "", "alias": "llm: mine/claude", "named": "llm: claude"}[used_as]
        workflow = MANAGED.replace("llm: other", name).replace("B, }", "B}")

        report = await run_preflight(client, workflow=workflow)
        started = await client.post("/runs", json={"workflow": workflow})

        for warnings in (report["warnings"], started.json()["warnings"]):
            (warning,) = [warning for warning in warnings if "claude" in warning]
            assert "`seed`, `systemRole` with which model `claude` is registered" in warning
            assert "Anthropic does not take them" in warning


class TestInlineProvider:
    async def test_serves_every_model(self, client: httpx.AsyncClient) -> None:
        report = await run_preflight(client, providerConfig=INLINE | {"models": ["m1", "m2"]})

        [model] = report["models"]
        assert (model["name"], model["provider"]) == (
            "m1",
            {"id": None, "name": "mine", "type": "openai_compatible"},
        )

    async def test_forbidden_address_is_a_problem(self, client: httpx.AsyncClient) -> None:
        forbidden = INLINE | {"baseUrl": "http://169.254.169.254/v1", "models": ["m"]}

        report = await run_preflight(client, providerConfig=forbidden)

        assert [problem["where"] for problem in report["problems"]] == ["/providerConfig/baseUrl"]

    async def test_process_without_a_worker_is_a_problem(
        self, client: httpx.AsyncClient, harness: RunHarness
    ) -> None:
        harness.container.settings.role = Role.API

        report = await run_preflight(client, providerConfig=INLINE | {"models": ["m"]})

        assert not report["ready"]
        assert [problem["code"] for problem in report["problems"]] == ["provider-config-not-here"]
