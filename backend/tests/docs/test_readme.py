"""The README's transcript, run as a reader would run it."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.docs.pages import ROOT, Page, read
from tests.support.server_process import API_KEY, ServerProcess

PATIENCE_SECONDS = 240
MARK = "::block "
MOST_LINES = 200


def transcript(page: Page) -> list[str]:
    """The shell blocks between the two comments."""
    _, _, rest = page.text.partition("<!-- transcript:start -->")
    within, end, _ = rest.partition("<!-- transcript:end -->")
    assert end, "the transcript has no end"
    return [text for language, text in Page(page.path, within).blocks if language == "sh"]


def run_in_bash(blocks: list[str], folder: Path, **variables: str) -> list[str]:
    """What each block printed. A command that fails ends the script, and the test."""
    parts = [f"printf '\\n{MARK}{number}\\n'\n{text}" for number, text in enumerate(blocks)]
    script = "\n".join(["set -euo pipefail", *parts])
    own_python = str(Path(sys.executable).parent)
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        # Nothing else of this environment: a proxy or a curlrc would decide the outcome.
        env={"PATH": f"{own_python}:{os.environ['PATH']}", "HOME": str(folder), **variables},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return re.split(rf"^{MARK}\d+\n", done.stdout, flags=re.MULTILINE)[1:]


@pytest.fixture
def product(tmp_path: Path) -> Iterator[ServerProcess]:
    server = ServerProcess(tmp_path / "data", LOCAL_MODEL="auto").start()
    yield server
    server.stop()


@pytest.mark.process
@pytest.mark.crew
@pytest.mark.local_model
@pytest.mark.timeout(300)
@pytest.mark.skipif(shutil.which("curl") is None, reason="the transcript is made of curl commands")
def test_the_transcript_runs_as_written(product: ServerProcess, tmp_path: Path) -> None:
    blocks = transcript(read(ROOT / "README.md"))

    printed = run_in_bash(blocks, tmp_path, URL=product.url, KEY=API_KEY)

    assert len(printed) == len(blocks) == 8
    _, catalogue, validated, started, streamed, result, chat, stopped = printed
    assert "smollm2-135m" in catalogue
    assert validated.strip() == "True"
    run_id = json.loads(started)["runId"]
    told = streamed.split()
    assert told[0] == "run.snapshot"
    assert told[-1] == "run.completed"
    assert told.count("task.completed") == 2
    text, _, usage = result.strip().rpartition("\n")
    assert text.strip() not in ("", "None")
    assert "'llmCalls': 2" in usage
    assert json.loads(chat)["answeredBy"] == "result"
    assert json.loads(chat)["response"].strip()
    receipt: dict[str, Any] = json.loads(stopped)["receipt"]
    assert (receipt["mode"], receipt["llmCallsAfterStop"]) == ("graceful", 0)
    with product.client() as client:
        run = client.run(run_id)
        assert (run["status"], run["result"]["raw"].strip()) == ("completed", text.strip())
        assert client.run(json.loads(stopped)["runId"])["status"] == "stopped"


@pytest.mark.process
def test_every_file_of_a_data_folder_is_explained(tmp_path: Path) -> None:
    spans = set(read(ROOT / "docs" / "OPERATIONS.md").spans)
    server = ServerProcess(tmp_path / "data", API_KEY="").start()
    while_running = {path.name for path in server.data_dir.iterdir()}
    server.stop()

    made = while_running | {path.name for path in server.data_dir.iterdir()}

    assert {"api-key", "secret-key", "crewai-runner.db"} <= made
    assert {name for name in made if name not in spans and f"{name}/" not in spans} == set()


def test_the_transcript_needs_the_key_and_the_address_alone() -> None:
    first, *others = transcript(read(ROOT / "README.md"))

    assert first.startswith("URL=${URL:-http://127.0.0.1:8000}\nKEY=${KEY:-$(cat data/api-key)}\n")
    assert not any("127.0.0.1" in block or "data/" in block for block in others)


def test_the_readme_is_short_enough_to_be_read() -> None:
    assert len(read(ROOT / "README.md").text.splitlines()) <= MOST_LINES
