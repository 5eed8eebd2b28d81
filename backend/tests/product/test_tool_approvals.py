"""Calls of tools that a person must allow, across the end of the server process."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.database import fresh_database
from tests.support.environment import PROCESS_TEST_BACKENDS
from tests.support.mcp_server import ScriptedMcpServer, make_tool
from tests.support.scripted_provider import CallTools, Say, ScriptedProvider
from tests.support.server_process import ApiClient, ServerProcess

pytestmark = [pytest.mark.process, pytest.mark.crew, pytest.mark.timeout(300)]

DOCUMENT = """\
name: Sends
agents:
  writer: {role: Writer, goal: Write, backstory: Clear., tools: ["mcp:mailer/send"]}
tasks:
  facts: {description: Find the facts, expected_output: Facts, agent: writer}
  send: {description: Send the facts, expected_output: A receipt, agent: writer, context: [facts]}
"""
ORIGINAL, EDITED = {"to": "everyone@example.com"}, {"to": "ann@example.com"}


@pytest.fixture(params=PROCESS_TEST_BACKENDS)
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ServerProcess]:
    with fresh_database(request.param, tmp_path) as url:
        product = ServerProcess(tmp_path / "data", DATABASE_URL=url)
        yield product
        if product.is_running:
            product.stop()


@pytest.fixture
def mailer() -> Iterator[ScriptedMcpServer]:
    with ScriptedMcpServer() as running:
        running.pages = [[make_tool("send", "Sends a message.", to={"type": "string"})]]
        running.results["send"] = lambda arguments: f"Sent to {arguments['to']}."
        yield running


def add_tool(client: ApiClient, url: str) -> None:
    """Add the MCP server `mailer` and approve its tool."""
    path = (
        f"/api/mcp/servers/{client.post('/api/mcp/servers', {'name': 'mailer', 'url': url})['server']['id']}"
    )
    assert client.post(f"{path}/connect")["ok"]
    (tool,) = client.get(f"{path}/tools")["tools"]
    review = {"name": "send", "digest": tool["digest"], "use": True}
    client.post(f"{path}/tools/review", {"reviews": [review]})


def find_approval(client: ApiClient, run_id: str) -> dict[str, Any]:
    (approval,) = client.get("/api/approvals", status="open", runId=run_id)["approvals"]
    return approval


class TestKill:
    def test_answer_after_a_kill_reaches_the_tool_once(
        self, server: ServerProcess, mailer: ScriptedMcpServer
    ) -> None:
        with ScriptedProvider() as provider:
            provider.on(Say("Tea is green."), last_contains="Find the facts")
            provider.on(CallTools([("mcp_mailer_send", ORIGINAL)]), last_contains="Send the facts")
            provider.on(Say("It was sent."), contains="Sent to ann@example.com.")
            with server.start().client() as client:
                client.register_provider(provider.base_url)
                add_tool(client, mailer.url)
                run_id = client.start_run(DOCUMENT)
                client.wait_for_event(run_id, "approval.requested")
                before = find_approval(client, run_id)
            server.kill()

            with server.start().client() as client:
                after = find_approval(client, run_id)
                body = {"action": "approve", "arguments": EDITED}
                client.post(f"/api/approvals/{after['id']}/resolve", body)
                run = client.wait_for_state(run_id, "completed")
                events = client.events(run_id)
            texts = [request.text for request in provider.requests]

        assert before["arguments"] == after["arguments"] == ORIGINAL
        assert before["id"] == after["id"]
        assert [call["arguments"] for call in mailer.calls()] == [EDITED]
        assert run["result"]["raw"] == "It was sent."
        # The finished task is not paid for again; the one that was interrupted begins again.
        assert sum("Send the facts" not in text for text in texts) == 1
        assert sum(event["type"] == "approval.requested" for event in events) == 1
        assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
