"""Who may only start runs brings neither a definition nor a provider with the request (CVE-2026-33017)."""

from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select

from crewai_runner.db.session import read_session
from crewai_runner.db.tables.runs import RunRow
from crewai_runner.wiring.container import Container
from tests.support.harness import ON_SQLITE, RunHarness, request_approval
from tests.support.teams import Team

pytestmark = ON_SQLITE

DOCUMENT = """\
name: Of a request
agents:
  writer: {role: W, goal: G, backstory: B}
tasks:
  draft: {description: D, expected_output: E, agent: writer}
"""
AS_JSON = {
    "name": "Of a request",
    "agents": {"writer": {"role": "W", "goal": "G", "backstory": "B"}},
    "tasks": {"draft": {"description": "D", "expected_output": "E", "agent": "writer"}},
}
PROVIDER = {
    "name": "mine",
    "type": "openai_compatible",
    "baseUrl": "https://evil.example/v1",
    "apiKey": "sk-of-an-attacker-0123456789",
    "models": ["m"],
}
STARTS = ["/runs", "/workflows/start", "/runs/preflight"]


@pytest.fixture
def team(container: Container, app: FastAPI) -> Team:
    return Team(container, app)


@pytest.fixture
async def workflow_id(team: Team) -> str:
    saved = await team.post("/workflows", {"workflow": {"yaml": DOCUMENT}})
    return str(saved.json()["workflow"]["id"])


def refusal(answer: httpx.Response) -> tuple[int, str | None]:
    return answer.status_code, answer.json().get("scope")


async def count_runs(team: Team) -> int:
    async with read_session(team.container.sessions) as session:
        return await session.scalar(select(func.count()).select_from(RunRow)) or 0


class TestDefinitions:
    @pytest.mark.parametrize("path", STARTS)
    @pytest.mark.parametrize("document", [DOCUMENT, AS_JSON, "", "not: [a workflow", {}])
    async def test_an_operator_starts_none(self, team: Team, path: str, document: object) -> None:
        """Refused before it is parsed, valid or not."""
        operator = await team.create_key(role="operator")

        refused = await team.post(path, {"workflow": document}, operator)

        assert refusal(refused) == (403, "workflows:write")
        assert await count_runs(team) == 0

    @pytest.mark.parametrize("path", STARTS)
    async def test_a_saved_workflow_does_not_hide_one(self, team: Team, path: str, workflow_id: str) -> None:
        operator = await team.create_key(role="operator")

        refused = await team.post(path, {"workflowId": workflow_id, "workflow": AS_JSON}, operator)

        assert refusal(refused) == (403, "workflows:write")
        assert await count_runs(team) == 0

    async def test_the_idempotency_key_of_an_editor_does_not_help(self, team: Team) -> None:
        editor, operator = [await team.create_key(role=role) for role in ("editor", "operator")]
        headers = {"Idempotency-Key": "one"}
        answers = [
            await team.client.post(
                "/runs",
                json={"workflow": DOCUMENT},
                headers=headers | {"Authorization": f"Bearer {key}"},
            )
            for key in (editor, operator)
        ]

        assert [answer.status_code for answer in answers] == [202, 403]

    @pytest.mark.parametrize("path", STARTS)
    async def test_what_is_saved_can_be_started(self, team: Team, path: str, workflow_id: str) -> None:
        operator = await team.create_key(role="operator")

        assert (await team.post(path, {"workflowId": workflow_id}, operator)).is_success

    async def test_other_requests_carry_none(self, team: Team, workflow_id: str) -> None:
        for path, body in {
            f"http://test/amp/{workflow_id}/kickoff": {"inputs": {}, "workflow": AS_JSON},
            "/chat": {"workflowId": workflow_id, "message": "Hi", "workflow": AS_JSON},
            "/runs/run_1/messages": {"text": "Hi", "definition": AS_JSON},
            "/runs/run_1/retry": {"workflow": AS_JSON},
            "/runs/run_1/fork": {"fromTask": "draft", "workflow": AS_JSON},
            "/runs/run_1/resume": {"workflow": AS_JSON},
        }.items():
            assert (await team.post(path, body)).status_code == 422, path


class TestProviders:
    @pytest.mark.parametrize("path", STARTS)
    @pytest.mark.parametrize("role", ["operator", "editor"])
    async def test_only_owners_bring_one(self, team: Team, path: str, role: str, workflow_id: str) -> None:
        body = {"workflowId": workflow_id, "providerConfig": PROVIDER}

        refused = await team.post(path, body, await team.create_key(role=role))

        assert refusal(refused) == (403, "providers:write")
        assert await count_runs(team) == 0

    @pytest.mark.parametrize(
        ("action", "body"), [("retry", {}), ("resume", {}), ("fork", {"fromTask": "research"})]
    )
    async def test_nor_to_a_run_that_exists(
        self, team: Team, harness: RunHarness, action: str, body: dict[str, Any]
    ) -> None:
        run_id = await harness.create()
        editor = await team.create_key(role="editor")

        refused = await team.post(f"/runs/{run_id}/{action}", body | {"providerConfig": PROVIDER}, editor)

        assert refusal(refused) == (403, "providers:write")
        assert await count_runs(team) == 1


class TestAnswers:
    @pytest.mark.parametrize("path", ["/chat", "/runs/{}/messages"])
    async def test_a_message_answers_no_request_without_the_right(
        self, team: Team, harness: RunHarness, path: str
    ) -> None:
        """A message to a waiting run resolves what it waits for."""
        run_id, _ = await request_approval(harness)
        sender = await team.create_key(scopes=["runs:read", "runs:write"])
        body = {"workflowId": run_id, "message": "Yes"} if path == "/chat" else {"text": "Yes"}

        refused = await team.post(path.format(run_id), body, sender)

        assert refusal(refused) == (403, "approvals:write")
        assert (await harness.get_run(run_id)).state == "waiting"
