"""Endpoints of tools, and what the start of a run says of them."""

import json
from typing import Any

import httpx
import pytest

from crewai_runner.db.session import read_session
from crewai_runner.features.executions.execution_deps import ExecutionDeps
from crewai_runner.features.executions.spec_builder import RunSpecBuilder
from crewai_runner.features.tools.errors import ToolsUnusable
from crewai_runner.wiring.container import Container
from tests.support.harness import ON_SQLITE, RunHarness
from tests.support.principals import auth_headers
from tests.support.scripted_service import Reply, ScriptedService
from tests.support.search_services import ANSWERS, KEY, RESULTS

pytestmark = [pytest.mark.harness(allow_private_hosts=True), ON_SQLITE]

DOCUMENT = """\
name: Research
agents:
  writer: {role: Writer, goal: Write, backstory: Clear., tools: [TOOLS]}
tasks:
  draft: {description: Draft, expected_output: A draft, agent: writer}
"""


async def connect(client: httpx.AsyncClient, url: str, **body: Any) -> None:
    search = {"name": "Web", "kind": "serper", "secret": KEY, "baseUrl": url}
    response = await client.post("/connections", json={**search, **body})
    assert response.status_code == 201, response.text


async def preflight(client: httpx.AsyncClient, tools: str) -> dict[str, Any]:
    response = await client.post("/runs/preflight", json={"workflow": DOCUMENT.replace("TOOLS", tools)})
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


class TestListTools:
    async def test_says_what_is_missing(self, client: httpx.AsyncClient) -> None:
        before = {tool["name"]: tool for tool in (await client.get("/tools")).json()["tools"]}
        await connect(client, "https://search.example")
        after = {tool["name"]: tool for tool in (await client.get("/tools")).json()["tools"]}

        assert before["calculator"]["problem"] is None
        assert before["web_search"]["problem"]["code"] == "connection-missing"
        assert before["web_search"]["problem"]["remedy"] == "/tools?add=search"
        assert "SerperDevTool" in before["web_search"]["replaces"]
        assert after["web_search"]["problem"] is None
        assert after["web_search"]["connections"] == ["Web"]
        assert (after["post_message"]["effect"], after["web_search"]["effect"]) == ("write", "read")

    async def test_of_another_workspace(self, client: httpx.AsyncClient) -> None:
        await connect(client, "https://search.example")

        response = await client.get("/tools", headers=auth_headers("stranger"))

        assert "connection-missing" in response.text
        assert 'Web"' not in response.text


class TestTryTool:
    async def test_calls_the_tool(self, client: httpx.AsyncClient) -> None:
        with ScriptedService(Reply(ANSWERS["serper"])) as service:
            await connect(client, service.url)
            response = await client.post(
                "/tools/try", json={"tool": "web_search", "arguments": {"query": "tea"}}
            )

        assert response.json()["ok"]
        assert json.loads(response.json()["output"]) == {"query": "tea", "results": RESULTS}

    async def test_a_failure_is_a_result_without_secrets(self, client: httpx.AsyncClient) -> None:
        with ScriptedService(Reply({"message": f"bad {KEY}"}, 403)) as service:
            await connect(client, service.url)
            response = await client.post(
                "/tools/try", json={"tool": "web_search", "arguments": {"query": "tea"}}
            )

        assert (response.status_code, response.json()["ok"]) == (200, False)
        assert "rejected the credentials" in response.json()["output"]
        assert KEY not in response.text

    @pytest.mark.parametrize(
        ("tool", "arguments", "words"),
        [
            ("wait", {"seconds": 61}, "greater than the maximum"),
            ("calculator", {}, "required property"),
            ("http_get", {"url": "http://127.0.0.1:9/"}, "private network"),
        ],
    )
    async def test_has_the_guards_of_a_run(
        self, client: httpx.AsyncClient, tool: str, arguments: dict[str, Any], words: str
    ) -> None:
        response = await client.post("/tools/try", json={"tool": tool, "arguments": arguments})

        assert not response.json()["ok"]
        assert words in response.json()["output"]

    @pytest.mark.parametrize("tool", ["web_search", "unknown", "mcp:a/b", "os:system"])
    async def test_refuses_what_cannot_be_used(self, client: httpx.AsyncClient, tool: str) -> None:
        response = await client.post("/tools/try", json={"tool": tool})

        assert response.status_code == 422
        assert response.json()["type"].endswith("/tools-unusable")

    async def test_uses_only_connections_of_the_workspace(self, client: httpx.AsyncClient) -> None:
        await connect(client, "https://search.example")

        response = await client.post(
            "/tools/try", json={"tool": "web_search"}, headers=auth_headers("stranger")
        )

        assert response.status_code == 422


class TestStart:
    @pytest.mark.parametrize(
        ("tools", "codes"),
        [
            ("calculator", []),
            ("web_search", ["connection-missing"]),
            ("SerperDevTool", ["connection-missing"]),
            ("web_search, post_message", ["connection-missing", "connection-missing"]),
            ("'mcp:github/search_issues'", ["mcp-server-unknown"]),
        ],
    )
    async def test_preflight_names_every_missing_connection(
        self, client: httpx.AsyncClient, tools: str, codes: list[str]
    ) -> None:
        found = await preflight(client, tools)

        assert [problem["code"] for problem in found["problems"]] == codes
        assert found["ready"] == (not codes)
        start = await client.post("/runs", json={"workflow": DOCUMENT.replace("TOOLS", tools)})
        assert start.status_code == (422 if codes else 202), start.text

    async def test_preflight_says_where_to_add_it(self, client: httpx.AsyncClient) -> None:
        [problem] = (await preflight(client, "web_search"))["problems"]

        assert problem["remedy"] == "/tools?add=search"
        assert "needs a connection to a search service" in problem["message"]

    async def test_a_run_gets_the_connection(self, client: httpx.AsyncClient, container: Container) -> None:
        await connect(client, "https://search.example")
        async with read_session(container.sessions) as session:
            found = await container.tools.registry.find(session, "ws_default", ["web_search", "calculator"])

        binding = found.bindings["web_search"]
        assert binding.config == {"kind": "serper", "base_url": "https://search.example", "connection": "Web"}
        assert binding.secrets["secret"].get_secret_value() == KEY
        assert KEY not in repr(binding)

    async def test_the_model_chooses_among_several_channels(
        self, client: httpx.AsyncClient, container: Container
    ) -> None:
        webhook = {"kind": "slack", "secret": "https://hooks.example/services/T0/B0/0123456789abcdef"}
        await client.post("/connections", json={"name": "One", **webhook})
        async with read_session(container.sessions) as session:
            one = await container.tools.registry.find(session, "ws_default", ["post_message"])
        await client.post("/connections", json={"name": "Two", **webhook})
        async with read_session(container.sessions) as session:
            two = await container.tools.registry.find(session, "ws_default", ["post_message"])

        assert "connection" not in one.bindings["post_message"].parameters["properties"]
        assert two.bindings["post_message"].parameters["properties"]["connection"]["enum"] == ["One", "Two"]
        assert two.bindings["post_message"].parameters["required"] == ["connection", "text"]

    async def test_the_model_that_answers_for_a_run_needs_no_tools(
        self, client: httpx.AsyncClient, harness: RunHarness
    ) -> None:
        await connect(client, "https://search.example")
        started = await client.post("/runs", json={"workflow": DOCUMENT.replace("TOOLS", "web_search")})
        run_id = started.json()["runId"]
        [connection] = (await client.get("/connections")).json()["connections"]
        await client.delete(f"/connections/{connection['id']}")
        builder = RunSpecBuilder(harness.container.provide(ExecutionDeps))

        assert await builder.answering_model(run_id)
        with pytest.raises(ToolsUnusable):
            await builder.build(run_id, 0)
