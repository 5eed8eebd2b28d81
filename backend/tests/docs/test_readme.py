"""Runs the shell transcript of the README; checks the documented data directory."""

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

from tests.docs.pages import ROOT, Page, read_page
from tests.support.server_process import API_KEY, ServerProcess

TIMEOUT_SECONDS = 240
MARK = "::block "
MAX_LINES = 200


def read_transcript(page: Page) -> list[str]:
    """Return the shell blocks between the two transcript comments."""
    _, _, rest = page.text.partition("<!-- transcript:start -->")
    section, end, _ = rest.partition("<!-- transcript:end -->")
    assert end, "the transcript has no end comment"
    return [text for language, text in Page(page.path, section).blocks if language == "sh"]


def run_in_bash(blocks: list[str], folder: Path, **variables: str) -> list[str]:
    """Return the output of each block. Raises AssertionError if a command fails."""
    parts = [f"printf '\\n{MARK}{number}\\n'\n{text}" for number, text in enumerate(blocks)]
    script = "\n".join(["set -euo pipefail", *parts])
    python_dir = str(Path(sys.executable).parent)
    result = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        # A clean environment: a proxy or a curlrc would change the result.
        env={"PATH": f"{python_dir}:{os.environ['PATH']}", "HOME": str(folder), **variables},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    assert result.returncode == 0, f"{result.stdout[-3000:]}\n{result.stderr[-3000:]}"
    return re.split(rf"^{MARK}\d+\n", result.stdout, flags=re.MULTILINE)[1:]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    process = ServerProcess(tmp_path / "data", LOCAL_MODEL="auto").start()
    yield process
    process.stop()


class TestTranscript:
    @pytest.mark.process
    @pytest.mark.crew
    @pytest.mark.local_model
    @pytest.mark.timeout(300)
    @pytest.mark.skipif(shutil.which("curl") is None, reason="the transcript uses curl")
    def test_commands_produce_the_documented_results(self, server: ServerProcess, tmp_path: Path) -> None:
        blocks = read_transcript(read_page(ROOT / "README.md"))

        printed = run_in_bash(blocks, tmp_path, URL=server.url, KEY=API_KEY)

        assert len(printed) == len(blocks) == 8
        _, catalogue, validated, started, streamed, fetched, chat, stopped = printed
        assert "smollm2-135m" in catalogue
        assert validated.strip() == "True"
        run_id = json.loads(started)["runId"]
        event_types = streamed.split()
        assert event_types[0] == "run.snapshot"
        assert event_types[-1] == "run.completed"
        assert event_types.count("task.completed") == 2
        text, _, usage = fetched.strip().rpartition("\n")
        assert text.strip() not in ("", "None")
        assert "'llmCalls': 2" in usage
        assert json.loads(chat)["answeredBy"] == "result"
        assert json.loads(chat)["response"].strip()
        receipt: dict[str, Any] = json.loads(stopped)["receipt"]
        assert (receipt["mode"], receipt["llmCallsAfterStop"]) == ("graceful", 0)
        with server.client() as client:
            run = client.run(run_id)
            assert (run["status"], run["result"]["raw"].strip()) == ("completed", text.strip())
            assert client.run(json.loads(stopped)["runId"])["status"] == "stopped"

    def test_needs_only_the_key_and_the_url(self) -> None:
        first, *others = read_transcript(read_page(ROOT / "README.md"))

        assert first.startswith("URL=${URL:-http://127.0.0.1:8000}\nKEY=${KEY:-$(cat data/api-key)}\n")
        assert not any("127.0.0.1" in block or "data/" in block for block in others)


class TestDataDir:
    @pytest.mark.process
    def test_every_file_is_documented(self, tmp_path: Path) -> None:
        spans = set(read_page(ROOT / "docs" / "OPERATIONS.md").spans)
        server = ServerProcess(tmp_path / "data", API_KEY="").start()
        while_running = {path.name for path in server.data_dir.iterdir()}
        server.stop()

        created = while_running | {path.name for path in server.data_dir.iterdir()}

        assert {"api-key", "secret-key", "crewai-runner.db"} <= created
        assert {name for name in created if name not in spans and f"{name}/" not in spans} == set()


class TestReadme:
    def test_length_is_limited(self) -> None:
        assert len(read_page(ROOT / "README.md").text.splitlines()) <= MAX_LINES
