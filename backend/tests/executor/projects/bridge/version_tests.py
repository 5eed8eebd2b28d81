"""The guest's side of the bridge with older versions of crewai, and all kinds of entry points with the
installed one: `make test-projects`.

Each version is installed once into an environment under the system's folder for temporary files, with the
packages of its time. UV names the uv to use.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from crewai_runner.domain.project import EntryPoint, ProjectKind
from crewai_runner.executor.projects.bridge.messages import FinishedTask
from tests.executor.projects.bridge.guest_process import CREW, Guest, reply_to_sample
from tests.executor.projects.bridge.sample_checks import (
    check_langchain_model,
    check_reviewed_run,
    check_saved_flow,
)
from tests.support.scripted_provider import ScriptedProvider

RELEASES = {
    "0.70.1": "2024-12-10",
    "0.86.0": "2024-12-10",
    "0.108.0": "2025-03-25",
    "0.177.0": "2025-09-15",
    "1.9.3": "2026-02-15",
}
"""Versions and the date of the newest packages that they are installed with."""
ENVIRONMENTS = Path(tempfile.gettempdir()) / "crewai-runner-versions"

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module", params=RELEASES)
def python(request: pytest.FixtureRequest) -> Path:
    """The interpreter of an environment with one version of crewai."""
    version = request.param
    folder = ENVIRONMENTS / f"{version}-py{sys.version_info.minor}"
    interpreter, complete = folder / "bin" / "python", folder / ".complete"
    if not complete.exists():
        uv = os.environ.get("UV", "uv")
        subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, folder], check=True)
        cap = ["--exclude-newer", RELEASES[version]]
        install = [uv, "pip", "install", "--quiet", "--python", interpreter, *cap, f"crewai=={version}"]
        subprocess.run(install, check=True)
        complete.touch()
    return interpreter


async def test_reviewed_and_resumed(python: Path, tmp_path: Path) -> None:
    with ScriptedProvider() as provider:
        provider.on(reply_to_sample)
        guest = Guest(tmp_path, provider.url, python)

        run = await guest.run(CREW, {"topic": "whales"}, ["make it shorter", ""])

        check_reviewed_run(run, reviews=1 if "0.70" in str(python) else 2)
        paths = {request.path for request in provider.requests}
        assert paths == {"/_h/api.openai.com/v1/chat/completions"}
        assert {request.api_key for request in provider.requests} == {"run-token"}

        finished: list[FinishedTask] = list(run.translator.finished_tasks.values())
        resumed = await guest.run(CREW, {"topic": "whales"}, finished=finished)

        assert [step[:2] for step in resumed.steps] == [("task.reused", "research"), ("task.reused", "note")]
        assert resumed.server.result == run.server.result


async def test_saved_flow(python: Path, tmp_path: Path) -> None:
    if any(version in str(python) for version in ("0.70", "0.86")):
        pytest.skip("its flows have no persistence")
    await check_saved_flow(Guest(tmp_path, "http://127.0.0.1:9", python))


async def test_models_of_langchain(python: Path, tmp_path: Path) -> None:
    with ScriptedProvider() as provider:
        await check_langchain_model(Guest(tmp_path, provider.url, python, tmp_path), provider)


async def test_flow_with_feedback(tmp_path: Path) -> None:
    entry = EntryPoint(kind=ProjectKind.FLOW, path="flow.py", name="SampleFlow")

    run = await Guest(tmp_path, "http://127.0.0.1:9").run(entry, {"topic": "bees"}, ["Very good"])

    assert run.exit_code == 0, run.output
    assert [(question.kind, question.prompt, question.output) for question in run.questions] == [
        ("feedback", "Is this good?", "A draft about bees.")
    ]
    assert run.server.result is not None
    assert run.server.result.model_dump()["json_output"] == {"topic": "bees", "feedback": "Very good"}


async def test_crew_file(tmp_path: Path) -> None:
    entry = EntryPoint(kind=ProjectKind.CREW_FILE, path="declared/crew.jsonc")
    with ScriptedProvider() as provider:
        provider.on(reply_to_sample)

        run = await Guest(tmp_path, provider.url).run(entry, {"topic": "whales"})

        assert run.exit_code == 0, run.output
        assert "about whales" in provider.requests[0].text
        assert ("task.completed", "note", "Writer") in run.steps
        assert run.server.result is not None
        assert run.server.result.model_dump()["raw"] == "The first note."
