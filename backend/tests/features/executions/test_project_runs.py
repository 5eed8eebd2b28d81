"""Runs of projects: from the request to the result, with a real sandbox and gateway."""

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
from tests.support.projects import FILES, SECRET, zip_project
from tests.support.scripted_provider import Hang, Say, ScriptedProvider

pytestmark = [ON_SQLITE, pytest.mark.harness(projects="auto")]
Json = dict[str, Any]
MAIN = (
    CALL_MODEL
    + """
import pathlib

def run():
    answer = ask("Hello from the project")
    out = pathlib.Path("output/deep")
    out.mkdir(parents=True)
    (out / "report.md").write_text(answer + " " + os.environ["TOPIC_KEY"])
    (out / "link.md").symlink_to("/etc/passwd")
    print("key", os.environ["TOPIC_KEY"])
    return {"answer": answer, "config": pathlib.Path("config/a.txt").read_text()}
"""
)


CALL_FOR_EVER = """
import signal, threading
signal.signal(signal.SIGTERM, signal.SIG_IGN)

def call():
    while True:
        try:
            ask("more")
        except BaseException:
            pass

def run():
    threading.Thread(target=call).start()
    while True:
        signal.pause()
"""


@pytest.fixture
def provider() -> Iterator[ScriptedProvider]:
    with ScriptedProvider() as running:
        yield running


@pytest.fixture(autouse=True)
async def executor(
    harness: RunHarness, provider: ScriptedProvider, tmp_path: Path
) -> AsyncIterator[ProjectExecutor]:
    async with project_executor(harness, tmp_path / "folder", provider.base_url) as projects:
        yield projects


async def finish(harness: RunHarness, client: httpx.AsyncClient, run_id: str, attempt: int = 1) -> Json:
    """Execute an attempt in this process; return the run."""
    async with asyncio.timeout(60):
        await harness.execute(run_id, attempt)
    run: Json = (await client.get(f"/runs/{run_id}")).json()["run"]
    return run


class TestProjectRun:
    async def test_completes(
        self, harness: RunHarness, client: httpx.AsyncClient, provider: ScriptedProvider
    ) -> None:
        provider.on(Say("Good day"))
        files = FILES | {"main.py": MAIN, "config/a.txt": "settings"}
        project_id = await upload_ready(harness, client, files, "main.py", "run")

        run_id = await start(client, project_id)
        run = await finish(harness, client, run_id)

        assert (run["status"], run["error"]) == ("completed", None)
        assert run["result"]["jsonOutput"] == {"answer": "Good day", "config": "settings"}
        assert (run["projectId"], run["projectVersion"], run["workflowName"]) == (
            project_id,
            1,
            "daily-brief",
        )
        assert run["usage"]["llmCalls"] == 1
        [started] = [event for event in await harness.events(run_id) if event.type == "run.started"]
        assert started.data.engine == "project"
        types = await harness.event_types(run_id)
        assert {"llm.started", "llm.completed", "log.line", "artifact.saved", "run.completed"} <= set(types)
        listed = (await client.get(f"/runs?projectId={project_id}")).json()["runs"]
        assert [entry["id"] for entry in listed] == [run_id]

    async def test_files_and_secrets(
        self, harness: RunHarness, client: httpx.AsyncClient, provider: ScriptedProvider
    ) -> None:
        provider.on(Say("Good day"))
        files = FILES | {"main.py": MAIN, "config/a.txt": "settings"}
        project_id = await upload_ready(harness, client, files, "main.py", "run")

        run_id = await start(client, project_id)
        await finish(harness, client, run_id)

        artifacts = (await client.get(f"/runs/{run_id}/artifacts")).json()["artifacts"]
        assert [artifact["name"] for artifact in artifacts] == ["output/deep/report.md"]
        report = await client.get(f"/runs/{run_id}/artifacts/output/deep/report.md")
        assert report.text == "Good day ••••••"
        events = "".join(event.model_dump_json() for event in await harness.events(run_id))
        assert "key ••••••" in events
        assert SECRET not in events

    async def test_files_beside_the_code(self, harness: RunHarness, client: httpx.AsyncClient) -> None:
        """Code may write next to its own modules, and reads files from where its `pyproject.toml` lies."""
        code = (
            "import pathlib\n\ndef run():\n"
            "    (pathlib.Path(__file__).parent / 'seen.log').write_text('1')\n"
            "    pathlib.Path('out.txt').write_text('2')\n"
            "    return pathlib.Path('config/a.txt').read_text()\n"
        )
        files = {
            "README.md": "Two folders",
            "web/index.js": "",
            "service/pyproject.toml": FILES["pyproject.toml"],
            "service/agents/main.py": code,
            "service/config/a.txt": "settings",
        }
        project_id = await upload_ready(
            harness, client, files, "service/agents/main.py", "run", workingDirectory="service"
        )

        run_id = await start(client, project_id)
        run = await finish(harness, client, run_id)

        assert (run["status"], run["error"]) == ("completed", None)
        assert run["result"]["raw"] == "settings"
        artifacts = (await client.get(f"/runs/{run_id}/artifacts")).json()["artifacts"]
        assert [one["name"] for one in artifacts] == ["service/agents/seen.log", "service/out.txt"]

    async def test_values_that_the_code_computes_are_kept(
        self, harness: RunHarness, client: httpx.AsyncClient
    ) -> None:
        """Only the inputs that a user has given replace what the code passes to `kickoff`."""
        path = "src/daily_brief/main.py"
        code = (
            "import time\nfrom crewai import Crew\n\n"
            "def run():\n    inputs = {'topic': 'AI', 'year': str(time.time())}\n"
            "    Crew().kickoff(inputs=inputs)\n"
        )
        project_id = await upload_ready(harness, client, FILES | {path: code}, path, "run")
        project = (await client.get(f"/projects/{project_id}")).json()["project"]
        assert [one["name"] for one in project["version"]["inspection"]["inputs"]] == ["topic", "year"]

        run_id = await start(client, project_id)

        assert (await client.get(f"/runs/{run_id}")).json()["run"]["inputs"] == {"topic": "AI"}

    async def test_code_that_fails(self, harness: RunHarness, client: httpx.AsyncClient) -> None:
        files = FILES | {"main.py": "def run():\n    raise ValueError('No topic')\n"}
        project_id = await upload_ready(harness, client, files, "main.py", "run")

        run = await finish(harness, client, await start(client, project_id))

        assert (run["status"], run["error"]["code"]) == ("failed", "project-error")
        assert "No topic" in run["error"]["message"]

    async def test_budget_holds_against_code_that_swallows_errors(
        self, harness: RunHarness, client: httpx.AsyncClient, provider: ScriptedProvider
    ) -> None:
        code = CALL_MODEL + "\ndef run():\n    while True:\n        try:\n            ask('more')\n"
        code += "        except Exception:\n            pass\n"
        project_id = await upload_ready(harness, client, FILES | {"main.py": code}, "main.py", "run")

        run = await finish(harness, client, await start(client, project_id, budget={"maxLlmCalls": 3}))

        assert (run["status"], run["waitReason"]) == ("waiting", "budget")
        assert len(provider.requests) == 3

    async def test_stop_closes_the_call_and_kills_the_process(
        self, harness: RunHarness, client: httpx.AsyncClient, provider: ScriptedProvider
    ) -> None:
        provider.on(Hang())
        code = CALL_MODEL + CALL_FOR_EVER
        project_id = await upload_ready(harness, client, FILES | {"main.py": code}, "main.py", "run")
        run_id = await start(client, project_id)
        executing = asyncio.create_task(finish(harness, client, run_id))
        await asyncio.to_thread(provider.wait_for_requests, 1)

        started = time.monotonic()
        stopped = await client.post(f"/runs/{run_id}/stop")
        await asyncio.to_thread(provider.wait_for_disconnects, 1)
        seconds = time.monotonic() - started
        run = await executing

        receipt = stopped.json()["receipt"]
        assert (run["status"], receipt["mode"]) == ("stopped", "killed")
        assert (receipt["llmCallsInFlight"], receipt["llmCallsAfterStop"]) == (1, 0)
        assert len(provider.requests) == 1
        # SIGTERM is given 0.7 s; the rest is the machine's.
        assert seconds < 2


class TestStart:
    async def test_before_the_build_has_ended(self, client: httpx.AsyncClient) -> None:
        upload = await client.post(
            "/projects", content=zip_project(), headers={"Content-Type": "application/zip"}
        )
        project_id = upload.json()["project"]["id"]

        response = await client.post("/runs", json={"projectId": project_id})
        preflight = await client.post("/runs/preflight", json={"projectId": project_id})

        assert response.status_code == 409
        assert response.json()["type"].endswith("/project-not-ready")
        assert preflight.status_code == 200, preflight.text
        assert [one["code"] for one in preflight.json()["problems"]] == ["project-not-ready"]

    async def test_unknown_project(self, client: httpx.AsyncClient) -> None:
        response = await client.post("/runs", json={"projectId": "proj_1"})

        assert response.status_code == 404
