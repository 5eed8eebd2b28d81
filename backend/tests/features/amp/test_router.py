"""The run API as clients of CrewAI AMP use it: kickoff, status, resume and their errors."""

from http import HTTPStatus
from typing import Any

import httpx
import pytest

from crewai_runner.domain.run import RunResult
from crewai_runner.executor.port import Completed, Failed, NeedsHuman
from crewai_runner.executor.scripted import Script, ScriptedExecutor
from tests.support.builders import FAILURE, completed, started
from tests.support.harness import RunHarness
from tests.support.principals import ANONYMOUS, AS_DOCUMENT_READER, AS_STRANGER, auth_headers

pytestmark = pytest.mark.harness(allow_private_hosts=True)

DOCUMENT = """\
name: Tea & Cake report
agents:
  writer: {role: "Writer of {topic}", goal: Write, backstory: Clear.}
tasks:
  draft: {description: "Draft {topic}", expected_output: A draft, agent: writer}
  report: {description: "Report {topic}", expected_output: A report, agent: writer, human_input: true}
inputs:
  topic: {type: string}
  depth: {type: integer, default: 1}
"""
BASE = "http://test/amp"
SLUG = "tea-cake-report"


@pytest.fixture
async def workflow(client: httpx.AsyncClient) -> dict[str, Any]:
    response = await client.post("/workflows", json={"workflow": {"yaml": DOCUMENT}})
    assert response.status_code == HTTPStatus.CREATED, response.text
    created: dict[str, Any] = response.json()["workflow"]
    return created


async def kickoff(client: httpx.AsyncClient, **more: Any) -> str:
    response = await client.post(f"{BASE}/{SLUG}/kickoff", json={"inputs": {"topic": "tea"}, **more})
    assert response.status_code == HTTPStatus.OK, response.text
    return str(response.json()["kickoff_id"])


async def status(client: httpx.AsyncClient, kickoff_id: str) -> dict[str, Any]:
    one = await client.get(f"{BASE}/{SLUG}/status/{kickoff_id}")
    other = await client.get(f"{BASE}/{SLUG}/{kickoff_id}/status")
    assert one.status_code == HTTPStatus.OK, one.text
    found: dict[str, Any] = one.json()
    assert found | {"execution_time": 0} == other.json() | {"execution_time": 0}
    return found


class TestSlug:
    async def test_stays_when_the_workflow_is_renamed(
        self, client: httpx.AsyncClient, workflow: dict[str, Any]
    ) -> None:
        renamed = {"workflow": {"yaml": DOCUMENT.replace("Tea & Cake report", "Coffee")}}

        saved = await client.put(f"/workflows/{workflow['id']}", json=renamed)

        assert workflow["slug"] == SLUG
        assert (saved.json()["name"], saved.json()["slug"]) == ("Coffee", SLUG)
        assert (await client.get(f"{BASE}/{SLUG}/inputs")).json() == {"inputs": ["topic", "depth"]}

    async def test_similar_names_get_numbers(
        self, client: httpx.AsyncClient, workflow: dict[str, Any]
    ) -> None:
        slugs = []
        for name in ("Tea, Cake: report", "TEA CAKE REPORT", "茶"):
            draft = {"workflow": {"yaml": DOCUMENT.replace("Tea & Cake report", f'"{name}"')}}
            slugs.append((await client.post("/workflows", json=draft)).json()["workflow"]["slug"])

        assert slugs == [f"{SLUG}-2", f"{SLUG}-3", "workflow"]
        listed = (await client.get("/workflows")).json()["workflows"]
        assert {entry["slug"] for entry in listed} == {SLUG, *slugs}

    async def test_id_works_as_well(self, client: httpx.AsyncClient, workflow: dict[str, Any]) -> None:
        response = await client.get(f"{BASE}/{workflow['id']}/inputs")

        assert response.json() == {"inputs": ["topic", "depth"]}


@pytest.mark.usefixtures("workflow")
class TestExecution:
    async def test_runs_to_its_end(self, client: httpx.AsyncClient, harness: RunHarness) -> None:
        kickoff_id = await kickoff(client, meta={"requestId": "r-1"})
        queued = await status(client, kickoff_id)
        result = RunResult(raw="A report.", json_output={"n": 1})
        harness.executor = ScriptedExecutor(
            Script([started("draft"), completed("draft", "A draft.", "writer")], Completed(result))
        )

        await harness.execute(kickoff_id, 1)

        done = await status(client, kickoff_id)
        assert (queued["state"], queued["status"], queued["result"]) == ("PENDING", "pending", None)
        assert queued["progress"] == {"completed_tasks": 0, "total_tasks": 2}
        assert (done["state"], done["status"], done["result"]) == ("SUCCESS", "completed", "A report.")
        assert done["result_json"] == {"n": 1}
        assert done["last_executed_task"] | {"summary": ""} == {
            "task_id": "draft",
            "name": "draft",
            "description": "Draft {topic}",
            "expected_output": "A draft",
            "summary": "",
            "agent": "Writer of {topic}",
            "output": "A draft.",
            "output_json": None,
        }
        run = (await client.get(f"/runs/{kickoff_id}")).json()["run"]
        assert (run["inputs"], run["metadata"]) == ({"topic": "tea", "depth": 1}, {"requestId": "r-1"})

    async def test_requests_of_semantic_kernel(self, client: httpx.AsyncClient) -> None:
        """It sends every field, most of them null, and reads `state`, `result` and `last_step`."""
        body = {
            "inputs": {"topic": "tea"},
            "taskWebhookUrl": None,
            "stepWebhookUrl": None,
            "crewWebhookUrl": None,
        }

        response = await client.post(f"{BASE}/{SLUG}/kickoff", json=body, headers={"user_agent": "SK"})

        assert set(response.json()) == {"kickoff_id"}
        found = await status(client, response.json()["kickoff_id"])
        assert (found["state"], found["result"], found["last_step"]) == ("PENDING", None, None)

    async def test_failure_says_why(self, client: httpx.AsyncClient, harness: RunHarness) -> None:
        harness.executor = ScriptedExecutor(Script([], Failed(FAILURE)))
        kickoff_id = await kickoff(client)

        await harness.execute(kickoff_id, 1)

        failed = await status(client, kickoff_id)
        assert (failed["state"], failed["status"]) == ("FAILED", "error")
        assert failed["result"] == failed["error"] == "refused"

    @pytest.mark.parametrize("key", [None, "once-1"])
    async def test_null_inputs_are_empty(self, client: httpx.AsyncClient, key: str | None) -> None:
        headers = {} if key is None else {"Idempotency-Key": key}
        body = {"inputs": None, "taskWebhookUrl": None, "stepWebhookUrl": None, "crewWebhookUrl": None}

        refused = await client.post(f"{BASE}/{SLUG}/kickoff", json=body, headers=headers)

        assert refused.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert refused.json()["details"] == {"missing_inputs": ["topic"]}
        assert refused.json()["errors"][0]["pointer"] == "/inputs/topic"

    async def test_same_key_starts_one_execution(self, client: httpx.AsyncClient) -> None:
        body = {"inputs": {"topic": "tea"}, "crewWebhookUrl": "http://127.0.0.1:9/crew"}
        headers = {"Idempotency-Key": "once-2"}

        answers = [await client.post(f"{BASE}/{SLUG}/kickoff", json=body, headers=headers) for _ in "ab"]
        other = await client.post(
            f"{BASE}/{SLUG}/kickoff", json=body | {"crewWebhookUrl": None}, headers=headers
        )

        assert answers[0].json() == answers[1].json()
        assert other.status_code == HTTPStatus.CONFLICT

    async def test_unknown_fields_are_refused(self, client: httpx.AsyncClient) -> None:
        body = {"inputs": {"topic": "tea"}, "crewWebhook": "http://127.0.0.1:9/crew"}

        response = await client.post(f"{BASE}/{SLUG}/kickoff", json=body)

        assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert response.json()["errors"][0]["pointer"] == "/crewWebhook"


@pytest.mark.usefixtures("workflow")
class TestResume:
    async def wait_for_review(self, client: httpx.AsyncClient, harness: RunHarness) -> str:
        harness.executor = ScriptedExecutor(
            Script([started("draft")], NeedsHuman("report", "writer", "A proposal."))
        )
        kickoff_id = await kickoff(client)
        await harness.execute(kickoff_id, 1)
        return kickoff_id

    def answer(self, kickoff_id: str, **more: Any) -> dict[str, Any]:
        return {"execution_id": kickoff_id, "task_id": "report", "is_approve": True, **more}

    async def test_approval_continues(self, client: httpx.AsyncClient, harness: RunHarness) -> None:
        kickoff_id = await self.wait_for_review(client, harness)
        waiting = await status(client, kickoff_id)

        response = await client.post(
            f"{BASE}/{SLUG}/resume", json=self.answer(kickoff_id, human_feedback="Good.")
        )

        assert (waiting["state"], waiting["status"]) == ("RUNNING", "awaiting_human_feedback")
        assert waiting["current_task"] == "report"
        assert response.json()["status"] == "resumed"
        resumed = await status(client, kickoff_id)
        assert resumed["state"] == "PENDING"
        assert resumed["last_executed_task"]["output"] == "A proposal."
        approvals = (await client.get("/approvals", params={"runId": kickoff_id})).json()["approvals"]
        assert [(one["status"], one["feedback"]) for one in approvals] == [("approved", "Good.")]

    async def test_refusal_revises_the_output(self, client: httpx.AsyncClient, harness: RunHarness) -> None:
        kickoff_id = await self.wait_for_review(client, harness)
        url = f"{BASE}/{SLUG}/resume"

        empty = await client.post(url, json=self.answer(kickoff_id, is_approve=False))
        revised = await client.post(
            url, json=self.answer(kickoff_id, is_approve=False, human_feedback="Shorter.")
        )
        again = await client.post(url, json=self.answer(kickoff_id))

        assert empty.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert revised.status_code == HTTPStatus.OK
        assert again.status_code == HTTPStatus.CONFLICT
        run = await harness.get_run(kickoff_id)
        assert run.revision is not None
        assert run.revision["feedback"] == "Shorter."

    async def test_other_task_is_refused(self, client: httpx.AsyncClient, harness: RunHarness) -> None:
        kickoff_id = await self.wait_for_review(client, harness)

        response = await client.post(f"{BASE}/{SLUG}/resume", json=self.answer(kickoff_id, task_id="draft"))

        assert response.status_code == HTTPStatus.CONFLICT
        assert "`report`" in response.json()["detail"]


@pytest.mark.usefixtures("workflow")
class TestAccess:
    @pytest.mark.parametrize(
        ("headers", "expected"),
        [
            (ANONYMOUS, HTTPStatus.UNAUTHORIZED),
            (auth_headers("wrong"), HTTPStatus.UNAUTHORIZED),
            (AS_STRANGER, HTTPStatus.NOT_FOUND),
            (AS_DOCUMENT_READER, HTTPStatus.FORBIDDEN),
        ],
    )
    async def test_needs_the_right_in_the_same_workspace(
        self, client: httpx.AsyncClient, headers: dict[str, str], expected: HTTPStatus
    ) -> None:
        kickoff_id = await kickoff(client)
        body = {"execution_id": kickoff_id, "task_id": "report", "is_approve": True}

        responses = [
            await client.post(f"{BASE}/{SLUG}/kickoff", json={"inputs": {"topic": "x"}}, headers=headers),
            await client.get(f"{BASE}/{SLUG}/status/{kickoff_id}", headers=headers),
            await client.get(f"{BASE}/{SLUG}/{kickoff_id}/status", headers=headers),
            await client.post(f"{BASE}/{SLUG}/resume", json=body, headers=headers),
        ]

        assert {response.status_code for response in responses} == {expected}

    async def test_run_of_another_workflow_is_not_found(self, client: httpx.AsyncClient) -> None:
        other = DOCUMENT.replace("Tea & Cake report", "Other")
        saved = await client.post("/workflows", json={"workflow": {"yaml": other}})
        started_run = await client.post(
            "/runs", json={"workflowId": saved.json()["workflow"]["id"], "inputs": {"topic": "tea"}}
        )

        response = await client.get(f"{BASE}/{SLUG}/status/{started_run.json()['runId']}")

        assert response.status_code == HTTPStatus.NOT_FOUND
        assert response.json()["state"] == "NOT FOUND"


@pytest.mark.usefixtures("workflow")
class TestWebhookAddresses:
    @pytest.mark.parametrize(
        "url",
        [
            "file:///etc/passwd",
            "http://169.254.169.254/latest/meta-data",
            "http://user:password@example.com/",
            "http://[::ffff:169.254.169.254]/",
            "http://0.0.0.0/",
            "",
        ],
    )
    async def test_forbidden_ones_are_refused(self, client: httpx.AsyncClient, url: str) -> None:
        stream = {"events": ["task_completed"], "url": url}
        for field in (
            {"taskWebhookUrl": url},
            {"stepWebhookUrl": url},
            {"crewWebhookUrl": url},
            {"webhooks": stream},
        ):
            response = await client.post(f"{BASE}/{SLUG}/kickoff", json={"inputs": {"topic": "tea"}, **field})
            assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY, response.text

        assert (await client.get("/runs")).json()["runs"] == []

    async def test_events_that_are_never_sent_are_refused(self, client: httpx.AsyncClient) -> None:
        stream = {"events": ["task_completed", "flow_plot"], "url": "http://127.0.0.1:9/"}

        response = await client.post(
            f"{BASE}/{SLUG}/kickoff", json={"inputs": {"topic": "tea"}, "webhooks": stream}
        )

        assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert "flow_plot" in response.json()["detail"]
        assert "task_completed" in response.json()["detail"]
