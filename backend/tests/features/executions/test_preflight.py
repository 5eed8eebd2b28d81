"""What a start would meet: the same as the start itself, all at once, and nothing is started."""

from typing import Any

import httpx
import pytest

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.core.settings import Role
from crewai_runner.db.tables.catalog import ModelRow, ProviderRow
from crewai_runner.db.tables.workflows import WorkflowRow
from tests.support.harness import RunHarness
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


async def check(client: httpx.AsyncClient, **body: Any) -> Json:
    answer = await client.post("/runs/preflight", json={"workflow": TWO_TASKS} | body)
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


async def add_model(harness: RunHarness, name: str, workspace: str = "ws_default", **columns: Any) -> None:
    async with harness.session() as session:
        place = {"type": "openai_compatible", "base_url": "http://127.0.0.1:9/v1"}
        session.add(ProviderRow(id=f"prov_{name}", name=f"at {name}", workspace_id=workspace, **place))
        await session.flush()
        row = {"type": "llm", "is_default": False, "workspace_id": workspace} | columns
        session.add(ModelRow(id=f"mdl_{name}", provider_id=f"prov_{name}", name=name, **row))


async def test_is_for_those_who_may_start_runs(client: httpx.AsyncClient) -> None:
    body = {"workflow": TWO_TASKS}

    statuses = [
        (await client.post("/runs/preflight", json=body, headers=headers)).status_code
        for headers in (ANONYMOUS, auth_headers("run-reader"), AS_STRANGER, {})
    ]

    assert statuses == [401, 403, 200, 200]


async def test_a_stranger_sees_their_own_models_only(client: httpx.AsyncClient) -> None:
    answer = await client.post("/runs/preflight", json={"workflow": TWO_TASKS}, headers=AS_STRANGER)

    assert (answer.json()["ready"], answer.json()["models"]) == (False, [])
    assert [problem["code"] for problem in answer.json()["problems"]] == ["no-model"]


async def test_a_run_that_can_start_is_ready(harness: RunHarness, client: httpx.AsyncClient) -> None:
    found = await check(client, budget={"maxTokens": 1000})

    assert (found["ready"], found["problems"], found["warnings"], found["estimatedCalls"]) == (
        True,
        [],
        [],
        2,
    )
    assert found["budget"] == {"maxTokens": 1000, "maxCost": None, "maxLlmCalls": None, "maxSeconds": None}
    [model] = found["models"]
    assert (model["name"], model["type"], model["problem"]) == ("main", "llm", None)
    assert model["provider"] == {"id": "prov_1", "name": "scripted", "type": "openai_compatible"}
    assert model["usedBy"] == ["researcher", "writer"]


async def test_nothing_is_started_and_nobody_contacted(
    harness: RunHarness, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_up: list[str] = []
    policy = EgressPolicy(allow_private=True, resolve=lambda host, _port: looked_up.append(host) or [])
    monkeypatch.setattr(harness.container, "egress", policy)

    found = await check(
        client, providerConfig=INLINE | {"baseUrl": "http://models.example/v1", "models": ["m"]}
    )

    assert (found["ready"], looked_up) == (True, [])
    assert await harness.count_queued() == 0
    assert (await client.get("/runs")).json()["runs"] == []


async def test_every_problem_is_told_at_once(harness: RunHarness, client: httpx.AsyncClient) -> None:
    document = MANAGED.replace("budget:", "memory: true\nembedder: nowhere\nbudget:")

    found = await check(client, workflow=document, inputs={"tpoic": "x", "more": 1})

    assert found["ready"] is False
    told = [(problem["code"], problem["where"]) for problem in found["problems"]]
    assert sorted(told, key=str) == [
        ("inputs-invalid", "/inputs/more"),
        ("inputs-invalid", "/inputs/tpoic"),
        ("model-not-registered", None),
        ("model-not-registered", None),
    ]
    by_name = {model["name"]: model for model in found["models"]}
    assert by_name["other"]["provider"] is None
    assert "'other'" in by_name["other"]["problem"]["message"]
    assert (by_name["nowhere"]["type"], by_name["nowhere"]["problem"]["code"]) == (
        "embedder",
        "model-not-registered",
    )
    assert by_name["main"]["usedBy"] == ["manager"]


async def test_problems_of_a_document_have_their_codes_and_places(client: httpx.AsyncClient) -> None:
    found = await check(client, workflow=TWO_TASKS.replace("agent: writer", "agent: wrter"))

    assert (found["ready"], found["models"], found["estimatedCalls"]) == (False, [], None)
    [problem] = found["problems"]
    assert problem["code"] == "unknown-agent"
    assert problem["where"].startswith("/workflow/tasks/")


@pytest.mark.parametrize("body", [{"workflow": None}, {"workflowId": "wf_1"}])
async def test_neither_or_both_documents_are_a_problem(client: httpx.AsyncClient, body: Json) -> None:
    found = await check(client, **body)

    assert [problem["code"] for problem in found["problems"]] == ["definition-invalid"]


async def test_the_tightest_budget_is_shown_and_one_too_tight_is_warned_of(
    harness: RunHarness, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add_model(harness, "other")
    monkeypatch.setattr(harness.container.settings, "max_cost", 2.5)

    found = await check(client, workflow=MANAGED, budget={"maxTokens": 1000, "maxCost": "9"})

    assert found["budget"] == {"maxTokens": 500, "maxLlmCalls": 1, "maxCost": "2.5", "maxSeconds": None}
    assert found["ready"] is True
    assert any("the tasks need at least 2" in warning for warning in found["warnings"])


async def test_a_provider_given_with_the_run_serves_every_model(client: httpx.AsyncClient) -> None:
    found = await check(client, providerConfig=INLINE | {"models": ["m1", "m2"]})

    [model] = found["models"]
    assert (model["name"], model["provider"]) == (
        "m1",
        {"id": None, "name": "mine", "type": "openai_compatible"},
    )


async def test_a_provider_that_cannot_be_is_a_problem(client: httpx.AsyncClient) -> None:
    forbidden = INLINE | {"baseUrl": "http://169.254.169.254/v1", "models": ["m"]}

    found = await check(client, providerConfig=forbidden)

    assert [problem["where"] for problem in found["problems"]] == ["/providerConfig/baseUrl"]


async def test_a_workflow_that_is_not_there_is_not_found(
    harness: RunHarness, client: httpx.AsyncClient
) -> None:
    async with harness.session() as session:
        session.add(WorkflowRow(id="wf_theirs", workspace_id=OTHER_WORKSPACE, name="Theirs"))

    for identifier in ("wf_nothing", "wf_theirs"):
        answer = await client.post("/runs/preflight", json={"workflowId": identifier})
        assert (answer.status_code, answer.json()["title"]) == (404, "Workflow not found")


async def test_a_built_in_model_that_is_not_there_is_warned_of(
    harness: RunHarness, client: httpx.AsyncClient
) -> None:
    async with harness.session() as session:
        (await session.get_one(ProviderRow, "prov_1")).type = "local"

    found = await check(client)

    assert found["ready"] is True
    assert any("is not available" in warning for warning in found["warnings"])


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
async def test_it_is_ready_exactly_when_a_start_is_accepted(client: httpx.AsyncClient, body: Json) -> None:
    found = await check(client, **body)
    started = await client.post("/runs", json={"workflow": TWO_TASKS} | body)

    assert found["ready"] is (started.status_code == 202), started.text
    if not found["ready"]:
        assert started.json()["type"].endswith(
            ("/definition-invalid", "/inputs-invalid", "/no-model", "/model-not-registered")
        )


async def test_a_provider_that_cannot_reach_the_run_is_a_problem(
    client: httpx.AsyncClient, harness: RunHarness
) -> None:
    harness.container.settings.role = Role.API

    found = await check(client, providerConfig=INLINE | {"models": ["m"]})

    assert not found["ready"]
    assert [problem["code"] for problem in found["problems"]] == ["provider-config-not-here"]
