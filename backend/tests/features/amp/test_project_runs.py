"""Runs of projects over the paths of AMP, in a real sandbox: webhooks, status, feedback, and no secrets."""

import asyncio
import base64
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.features.amp.test_deliveries import make_deliveries
from tests.features.amp.test_router import BASE
from tests.support.harness import API_KEY, ON_SQLITE, RunHarness
from tests.support.project_runs import CALL_MODEL, project_executor, upload_ready
from tests.support.projects import FILES, SECRET
from tests.support.scripted_provider import RecordedRequest, Reply, Say, ScriptedProvider
from tests.support.webhook_receiver import WebhookReceiver

pytestmark = [ON_SQLITE, pytest.mark.harness(projects="auto", allow_private_hosts=True)]

Json = dict[str, Any]
SLUG = "daily-brief"
PROVIDER_KEY = "sk-canary-of-the-provider-0123456789"
# Reports what the bridge would report of a crew, with everything that the code knows in it.
CREW = (
    CALL_MODEL
    + """
import hashlib
from crewai_runner_bridge.channel import channel

TASK = {"task_key": "research", "description_hash": hashlib.sha256(b"d").hexdigest(), "agent": "Researcher"}
CALL = {"task_key": "research", "agent": "Researcher", "tool": "search", "call_id": "c1"}

def run():
    secret = os.environ["TOPIC_KEY"]
    channel.send("task.started", description="Find " + secret, **TASK)
    channel.send("agent.started", task_key="research", agent="Researcher")
    channel.send("tool.started", arguments={"q": secret}, **CALL)
    channel.send("tool.completed", output="Leaves of " + secret, **CALL)
    answer = ask("Tell me")
    channel.send("agent.completed", task_key="research", agent="Researcher", output=answer + secret)
    channel.send("task.completed", raw=answer + secret, **TASK)
    print(answer, secret)
    open("notes.txt", "w").write(secret)
    return answer + secret
"""
)
# The keys are reversed here, so that the search does not find itself.
SEARCH = """
import glob, os, pathlib

KEYS = [{keys}]

def read(path):
    try:
        with open(path, "rb") as file:
            return file.read(4_000_000)
    except OSError:
        return b""

def run():
    places = [*glob.glob("/proc/*/environ"), *glob.glob("/proc/*/cmdline"), *glob.glob("/proc/*/mountinfo")]
    for root in (".", "/tmp", "/run", "/etc", "/home", "/root", "/var", os.environ["CREWAI_RUNNER_PROJECT"]):
        places += [str(path) for path in pathlib.Path(root).rglob("*") if path.is_file()]
    texts = {{place: read(place) for place in places}} | {{"environment": repr(dict(os.environ)).encode()}}
    found = [(place, number) for place, text in texts.items() for number, key in enumerate(KEYS)
             if key[::-1].encode() in text]
    return {{"searched": len([text for text in texts.values() if text]), "found": found}}
"""


@pytest.fixture
def provider() -> Iterator[ScriptedProvider]:
    with ScriptedProvider() as running:
        yield running


@pytest.fixture
def receiver() -> Iterator[WebhookReceiver]:
    with WebhookReceiver() as opened:
        yield opened


@pytest.fixture(autouse=True)
async def executor(
    harness: RunHarness, client: httpx.AsyncClient, provider: ScriptedProvider, tmp_path: Path
) -> AsyncIterator[None]:
    async with project_executor(harness, tmp_path / "folder", provider.base_url):
        changed = await client.patch("/providers/prov_1", json={"apiKey": PROVIDER_KEY})
        assert changed.is_success, changed.text
        harness.container.model_cache.clear()
        yield


async def kick_off(client: httpx.AsyncClient, **body: Any) -> str:
    answer = await client.post(f"{BASE}/{SLUG}/kickoff", json={"inputs": {}} | body)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["kickoff_id"])


async def execute(harness: RunHarness, kickoff_id: str, attempt: int = 1) -> None:
    async with asyncio.timeout(60):
        await harness.execute(kickoff_id, attempt)


async def get_status(client: httpx.AsyncClient, kickoff_id: str) -> Json:
    answer: Json = (await client.get(f"{BASE}/{SLUG}/status/{kickoff_id}")).json()
    return answer


def all_urls(receiver: WebhookReceiver) -> Json:
    stream = {
        "events": ["tool_usage_started", "tool_usage_finished", "llm_call_completed", "task_completed"],
        "url": f"{receiver.url}/events",
    }
    urls = {f"{kind}WebhookUrl": f"{receiver.url}/{kind}" for kind in ("task", "step", "crew")}
    return urls | {"webhooks": stream}


class TestWebhooks:
    async def test_report_tasks_steps_and_the_end(
        self,
        harness: RunHarness,
        client: httpx.AsyncClient,
        provider: ScriptedProvider,
        receiver: WebhookReceiver,
    ) -> None:
        provider.on(Say("A brief."))
        await upload_ready(harness, client, FILES | {"main.py": CREW}, "main.py", "run")
        kickoff_id = await kick_off(client, meta={"requestId": "r-1"}, **all_urls(receiver))

        await execute(harness, kickoff_id)
        await make_deliveries(harness).send_due()

        assert [one.path for one in receiver.received] == ["/step", "/step", "/task", "/crew", "/events"]
        tool, agent = receiver.on("/step")
        assert (tool["tool"], tool["agent"], agent["tool"]) == ("search", "Researcher", None)
        [task] = receiver.on("/task")
        assert (task["task_id"], task["agent"], task["meta"]) == (
            "research",
            "Researcher",
            {"requestId": "r-1"},
        )
        [crew] = receiver.on("/crew")
        assert (crew["status"], crew["token_usage"]["total_tokens"] > 0) == ("completed", True)
        status = await get_status(client, kickoff_id)
        assert (status["state"], status["progress"]) == (
            "SUCCESS",
            {"completed_tasks": 1, "total_tasks": 1},
        )
        assert status["last_executed_task"]["task_id"] == "research"
        assert status["result"] == "A brief.••••••"

    async def test_feedback_resumes_a_review(
        self, harness: RunHarness, client: httpx.AsyncClient, receiver: WebhookReceiver
    ) -> None:
        code = CREW.replace(
            '    channel.send("task.completed"',
            '    feedback = channel.ask(kind="review", task_key="research", prompt="Good?", output=answer)\n'
            '    channel.send("task.completed"',
        ).replace("return answer + secret", "return feedback")
        await upload_ready(harness, client, FILES | {"main.py": code}, "main.py", "run")
        kickoff_id = await kick_off(client, taskWebhookUrl=f"{receiver.url}/task")

        await execute(harness, kickoff_id)
        waiting = await get_status(client, kickoff_id)
        feedback = {"execution_id": kickoff_id, "task_id": "research", "human_feedback": "Shorter."}
        resumed = await client.post(
            f"{BASE}/{SLUG}/resume",
            json=feedback | {"is_approve": False, "crewWebhookUrl": f"{receiver.url}/crew"},
        )
        assert resumed.status_code == 200, resumed.text
        await execute(harness, kickoff_id, 2)
        await make_deliveries(harness).send_due()

        assert waiting["status"] == "awaiting_human_feedback"
        assert [task.get("status") for task in receiver.on("/task")] == ["awaiting_human_feedback", None]
        assert [crew["result"] for crew in receiver.on("/crew")] == ["Shorter."]
        assert (await get_status(client, kickoff_id))["state"] == "SUCCESS"


class TestSecrets:
    async def test_appear_in_no_answer(
        self,
        harness: RunHarness,
        client: httpx.AsyncClient,
        provider: ScriptedProvider,
        receiver: WebhookReceiver,
    ) -> None:
        tokens: list[str] = []

        def answer_with_key(request: RecordedRequest) -> Reply:
            tokens.append(request.headers["authorization"])
            return Say(f"The key is {request.headers['authorization']}.")

        provider.on(answer_with_key)
        project_id = await upload_ready(harness, client, FILES | {"main.py": CREW}, "main.py", "run")
        kickoff_id = await kick_off(client, **all_urls(receiver))

        await execute(harness, kickoff_id)
        await make_deliveries(harness).send_due()

        paths = [
            *(f"/runs/{kickoff_id}{part}" for part in ("", "/tasks", "/events", "/usage", "/artifacts")),
            *(f"/projects/{project_id}{part}" for part in ("", "/versions/1", "/versions/1/build/log")),
            *(f"{BASE}/{SLUG}/status/{kickoff_id}", f"/runs/{kickoff_id}/artifacts/notes.txt"),
            f"http://test/crewai_plus/api/v1/crews/{project_id}/logs/deployment",
        ]
        seen = {path: (await client.get(path)).text for path in paths}
        seen |= {f"webhook {one.path}": one.body.decode() for one in receiver.received}
        assert tokens == [f"Bearer {PROVIDER_KEY}"]
        assert len(receiver.received) == 5
        assert "••••••" in seen[f"/runs/{kickoff_id}/artifacts/notes.txt"]
        for place, text in seen.items():
            for secret in (SECRET, PROVIDER_KEY, base64.b64encode(PROVIDER_KEY.encode()).decode()):
                assert secret not in text, place

    async def test_of_others_are_not_in_the_sandbox(
        self, harness: RunHarness, client: httpx.AsyncClient
    ) -> None:
        """The code finds its own secret, so the search works, but no key of the server or a provider."""
        keys = [SECRET, PROVIDER_KEY, API_KEY, harness.container.settings.secret_key[0].get_secret_value()]
        code = SEARCH.format(keys=", ".join(repr(key[::-1]) for key in keys))
        await upload_ready(harness, client, FILES | {"main.py": code}, "main.py", "run")
        kickoff_id = await kick_off(client)

        await execute(harness, kickoff_id)

        result = (await get_status(client, kickoff_id))["result_json"]
        assert result["searched"] > 10
        assert {number for _, number in result["found"]} == {0}
        assert "environment" in {place for place, _ in result["found"]}
