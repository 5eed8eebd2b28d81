"""What the code of a project asks persons: approvals of its run, with a real sandbox and gateway."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from crewai_runner.executor.projects.executor import ProjectExecutor
from tests.support.harness import ON_SQLITE, RunHarness
from tests.support.project_runs import CALL_MODEL, project_executor, start, upload_ready
from tests.support.projects import FILES, SECRET
from tests.support.scripted_provider import Say, ScriptedProvider

pytestmark = [ON_SQLITE, pytest.mark.harness(projects="auto")]
Json = dict[str, Any]
ASK_CITY = (
    CALL_MODEL
    + """
import uuid
NUMBER = uuid.uuid4().hex

def run():
    open("draft.md", "w").write(ask("Make a draft"))
    city = input(f"Which city? {os.environ['TOPIC_KEY']} ")
    return {"city": city, "tour": ask("Plan " + city), "number": NUMBER}
"""
)
REVIEWED = (
    CALL_MODEL
    + """
from crewai_runner_bridge.channel import channel

def run():
    ask("A step outside of tasks")
    task = {"task_key": "draft", "description_hash": "0" * 64, "agent": "Writer"}
    channel.send("task.started", **task, description="Write a draft")
    channel.send("agent.started", task_key="draft", agent="Writer")
    output = "First draft"
    while feedback := channel.ask(kind="review", task_key="draft", prompt="", output=output):
        output = "Draft that is " + feedback
    channel.send("agent.completed", task_key="draft", agent="Writer", output=output)
    channel.send("task.completed", **task, raw=output)
    return output
"""
)
IN_PARALLEL = """
import threading
answers = []

def call():
    for number in range(20):
        answers.append(ask(f"call {number}"))

def run():
    thread = threading.Thread(target=call)
    thread.start()
    while not answers:
        pass
    input("Continue?")
    thread.join()
    return answers
"""


@pytest.fixture
def provider() -> Iterator[ScriptedProvider]:
    with ScriptedProvider() as running:
        running.on(Say("Fine"))
        yield running


@pytest.fixture(autouse=True)
async def executor(
    harness: RunHarness, provider: ScriptedProvider, tmp_path: Path
) -> AsyncIterator[ProjectExecutor]:
    async with project_executor(harness, tmp_path / "folder", provider.base_url) as projects:
        yield projects


@pytest.fixture
def run_folders(tmp_path: Path) -> Path:
    """Has a folder for each process of a project."""
    return tmp_path / "folder" / "projects" / "runs"


class Runs:
    """Starts a project and answers what it asks."""

    def __init__(self, harness: RunHarness, client: httpx.AsyncClient) -> None:
        self.harness, self.client = harness, client

    async def start(self, code: str, **more: Any) -> str:
        """Start a run and execute its first attempt."""
        files = FILES | {"main.py": code}
        project_id = await upload_ready(self.harness, self.client, files, "main.py", "run")
        run_id = await start(self.client, project_id, **more)
        await self.execute(run_id, 1)
        return run_id

    async def execute(self, run_id: str, attempt: int) -> Json:
        async with asyncio.timeout(60):
            await self.harness.execute(run_id, attempt)
        run: Json = (await self.client.get(f"/runs/{run_id}")).json()["run"]
        return run

    async def find_open(self, run_id: str) -> Json:
        found = (await self.client.get(f"/approvals?status=open&runId={run_id}")).json()["approvals"]
        assert len(found) == 1
        approval: Json = found[0]
        return approval

    async def answer(self, run_id: str, attempt: int, **resolution: Any) -> Json:
        """Resolve the open approval request, and execute the attempt that follows."""
        approval = await self.find_open(run_id)
        response = await self.client.post(f"/approvals/{approval['id']}/resolve", json=resolution)
        assert response.status_code == 200, response.text
        return await self.execute(run_id, attempt)


@pytest.fixture
def runs(harness: RunHarness, client: httpx.AsyncClient) -> Runs:
    return Runs(harness, client)


async def wait_until_empty(folder: Path, seconds: float) -> float:
    """Return the seconds until no process of a project has a folder."""
    started = time.monotonic()
    async with asyncio.timeout(seconds):
        while any(folder.iterdir()):
            await asyncio.sleep(0.01)
    return time.monotonic() - started


class TestQuestion:
    async def test_the_run_waits_and_its_process_continues_with_the_answer(
        self, runs: Runs, provider: ScriptedProvider
    ) -> None:
        run_id = await runs.start(ASK_CITY)

        run = (await runs.client.get(f"/runs/{run_id}")).json()["run"]
        approval = await runs.find_open(run_id)
        seconds = (await runs.harness.get_run(run_id)).active_seconds
        await asyncio.sleep(1)
        done = await runs.answer(run_id, 2, action="answer", answer="Ghent")

        assert (run["status"], run["waitReason"]) == ("waiting", "human-input")
        assert (approval["kind"], approval["prompt"]) == ("question", "Which city? •••••• ")
        assert (approval["taskKey"], approval["agent"], approval["output"]) == (None, None, "")
        assert (done["status"], done["error"]) == ("completed", None)
        assert done["result"]["jsonOutput"]["city"] == "Ghent"
        assert [request.last_message for request in provider.requests] == ["Make a draft", "Plan Ghent"]
        assert done["usage"]["llmCalls"] == 2
        # The second of waiting is no active time.
        assert (await runs.harness.get_run(run_id)).active_seconds - seconds < 0.9
        events = await runs.harness.events(run_id)
        assert SECRET not in "".join(event.model_dump_json() for event in events)
        assert [
            event.type for event in events if event.type.startswith(("approval", "run.", "artifact"))
        ] == [
            "run.queued",
            "run.started",
            "artifact.saved",
            "approval.requested",
            "run.waiting",
            "approval.resolved",
            "run.queued",
            "run.resumed",
            "run.completed",
        ]

    async def test_after_a_restart_known_answers_are_given_again(
        self, runs: Runs, executor: ProjectExecutor
    ) -> None:
        """The same question is asked twice: its answers keep their order."""
        run_id = await runs.start("def run():\n    return [input('Next? '), input('Next? '), input()]\n")
        await executor.close()
        await runs.answer(run_id, 2, action="answer", answer="one")
        await executor.close()
        await runs.answer(run_id, 3, action="answer", answer="")
        run = await runs.answer(run_id, 4, action="answer", answer="three")

        assert (run["status"], run["result"]["jsonOutput"]) == ("completed", ["one", "", "three"])
        warnings = [
            event.data.code for event in await runs.harness.events(run_id) if event.type == "warning.raised"
        ]
        assert warnings == ["project-restarted", "project-restarted", "no-model-call"]

    async def test_is_addressed_to_the_approver_of_the_project(self, runs: Runs) -> None:
        """One that is chosen later applies to the next run."""
        files = FILES | {"main.py": "def run():\n    return input('Which city? ')\n"}
        project_id = await upload_ready(runs.harness, runs.client, files, "main.py", "run")
        roles = []
        for approver in ("editor", None):
            changed = await runs.client.patch(f"/projects/{project_id}", json={"approver": approver})
            assert changed.json()["project"]["approver"] == approver
            run_id = await start(runs.client, project_id)
            await runs.client.patch(f"/projects/{project_id}", json={"approver": "owner"})
            await runs.execute(run_id, 1)
            roles.append((await runs.find_open(run_id))["assignedRole"])

        assert roles == ["editor", None]

    async def test_the_printed_question_is_shown(self, runs: Runs) -> None:
        run_id = await runs.start("def run():\n    print('Pick a colour:')\n    return input()\n")

        assert (await runs.find_open(run_id))["prompt"] == "Pick a colour:"

    async def test_a_long_question_is_cut(self, runs: Runs) -> None:
        run_id = await runs.start("def run():\n    return input('x' * 200_000)\n")

        assert len((await runs.find_open(run_id))["prompt"]) == 8000

    async def test_threads_ask_at_the_same_time(self, runs: Runs) -> None:
        code = (
            "from concurrent.futures import ThreadPoolExecutor\n\ndef run():\n"
            "    with ThreadPoolExecutor() as pool:\n        return sorted(pool.map(input, ['a', 'b']))\n"
        )
        run_id = await runs.start(code)
        first = await runs.answer(run_id, 2, action="answer", answer="1")
        run = await runs.answer(run_id, 3, action="answer", answer="2")

        assert (first["status"], run["result"]["jsonOutput"]) == ("waiting", ["1", "2"])

    async def test_calls_of_other_threads_end_before_the_run_waits(
        self, runs: Runs, provider: ScriptedProvider
    ) -> None:
        """No call begins while it waits, and those that wanted to begin do so afterwards."""
        code = CALL_MODEL + IN_PARALLEL
        run_id = await runs.start(code)
        before = len(provider.requests)
        await asyncio.sleep(0.3)
        during = len(provider.requests)
        run = await runs.answer(run_id, 2, action="answer", answer="yes")

        assert before == during < 20
        assert (run["status"], len(run["result"]["jsonOutput"]), len(provider.requests)) == (
            "completed",
            20,
            20,
        )
        types = await runs.harness.event_types(run_id)
        assert types.count("llm.started") == types.count("llm.completed") == 20

    async def test_budget_applies_after_the_answer(self, runs: Runs, provider: ScriptedProvider) -> None:
        run_id = await runs.start(ASK_CITY, budget={"maxLlmCalls": 1})

        run = await runs.answer(run_id, 2, action="answer", answer="Ghent")

        assert (run["status"], run["waitReason"], len(provider.requests)) == ("waiting", "budget", 1)


class TestEndOfWaiting:
    async def test_stop_ends_the_process_at_once(self, runs: Runs, run_folders: Path) -> None:
        run_id = await runs.start(ASK_CITY)
        assert any(run_folders.iterdir())

        stopped = await runs.client.post(f"/runs/{run_id}/stop")

        assert await wait_until_empty(run_folders, 10) < 1
        assert stopped.json()["receipt"]["llmCallsInFlight"] == 0
        assert (await runs.client.get(f"/runs/{run_id}")).json()["run"]["status"] == "stopped"

    async def test_resumed_after_a_stop_it_asks_the_same_question(self, runs: Runs) -> None:
        run_id = await runs.start("def run():\n    return input('Which city? ')\n")
        await runs.client.post(f"/runs/{run_id}/stop")
        await runs.client.post(f"/runs/{run_id}/resume", json={})

        waiting = await runs.execute(run_id, 2)
        run = await runs.answer(run_id, 3, action="answer", answer="Ghent")

        assert (waiting["status"], run["status"], run["result"]["raw"]) == ("waiting", "completed", "Ghent")

    async def test_rejection_fails_the_run(self, runs: Runs, run_folders: Path) -> None:
        run_id = await runs.start(ASK_CITY)
        approval = await runs.find_open(run_id)

        await runs.client.post(f"/approvals/{approval['id']}/resolve", json={"action": "reject"})

        run = (await runs.client.get(f"/runs/{run_id}")).json()["run"]
        assert (run["status"], run["error"]["code"]) == ("failed", "approval-rejected")
        await wait_until_empty(run_folders, 10)

    async def test_only_some_processes_are_kept(
        self, runs: Runs, executor: ProjectExecutor, run_folders: Path
    ) -> None:
        ids = [await runs.start("def run():\n    return input('Which city? ')\n") for _ in range(5)]

        async with asyncio.timeout(10):
            while len([*run_folders.iterdir()]) != 4:
                await asyncio.sleep(0.01)
        run = await runs.answer(ids[0], 2, action="answer", answer="Ghent")
        await executor.close()

        assert run["status"] == "completed"
        assert [*run_folders.iterdir()] == []

    @pytest.mark.parametrize(
        ("resolution", "slug"),
        [
            ({"action": "approve"}, "approval-action-not-allowed"),
            ({"action": "revise", "feedback": "x"}, "approval-action-not-allowed"),
            ({"action": "answer"}, "feedback-missing"),
        ],
    )
    async def test_what_is_no_answer(self, runs: Runs, resolution: Json, slug: str) -> None:
        run_id = await runs.start("def run():\n    return input('Which city? ')\n")
        approval = await runs.find_open(run_id)

        response = await runs.client.post(f"/approvals/{approval['id']}/resolve", json=resolution)

        assert response.status_code == 422
        assert response.json()["type"].endswith(slug)


class TestReview:
    async def test_the_process_continues_with_feedback_and_approval(
        self, runs: Runs, provider: ScriptedProvider
    ) -> None:
        run_id = await runs.start(REVIEWED)
        first = await runs.find_open(run_id)
        await runs.answer(run_id, 2, action="revise", feedback="short")
        second = await runs.find_open(run_id)
        run = await runs.answer(run_id, 3, action="approve")

        assert [(one["kind"], one["taskKey"], one["agent"]) for one in (first, second)] == [
            ("review", "draft", "Writer")
        ] * 2
        assert [one["output"] for one in (first, second)] == ["First draft", "Draft that is short"]
        assert (run["status"], run["result"]["raw"]) == ("completed", "Draft that is short")
        assert len(provider.requests) == 1
        types = await runs.harness.event_types(run_id)
        assert (types.count("task.completed"), types.count("task.started")) == (1, 2)
        task = (await runs.harness.tasks(run_id))["draft"]
        assert (task.status, task.result and task.result.raw) == ("completed", "Draft that is short")

    async def test_an_edited_output_needs_another_process(
        self, runs: Runs, provider: ScriptedProvider
    ) -> None:
        restored = "    for stored in channel.start()['finished_tasks']:\n        return stored['raw']\n"
        code = REVIEWED.replace('    output = "First', restored + '    output = "First')
        run_id = await runs.start(code)

        run = await runs.answer(run_id, 2, action="approve", edited="My text")

        assert (run["status"], run["result"]["raw"]) == ("completed", "My text")
        assert len(provider.requests) == 2


class TestMessages:
    async def test_a_running_project_receives_none(self, runs: Runs) -> None:
        project_id = await upload_ready(runs.harness, runs.client, FILES, "src/daily_brief/main.py", "run")
        run_id = await start(runs.client, project_id)

        response = await runs.client.post(f"/runs/{run_id}/messages", json={"text": "Hello"})

        assert response.status_code == 409
        assert response.json()["type"].endswith("messages-not-delivered")
        assert (await runs.client.get(f"/runs/{run_id}/messages")).json()["messages"] == []

    async def test_a_message_answers_the_question(self, runs: Runs) -> None:
        run_id = await runs.start("def run():\n    return input('Which city? ')\n")

        sent = await runs.client.post(f"/runs/{run_id}/messages", json={"text": "Ghent"})
        run = await runs.execute(run_id, 2)

        assert sent.status_code == 202, sent.text
        assert (run["status"], run["result"]["raw"]) == ("completed", "Ghent")
