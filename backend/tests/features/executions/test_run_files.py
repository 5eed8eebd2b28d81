"""Runs with attached files, and files that their tools write."""

import json
from typing import Any

import httpx
import pytest

from crewai_runner.executor.port import RunSpec
from crewai_runner.executor.run_files import StoredFile
from crewai_runner.executor.scripted import ScriptedExecutor
from tests.support.harness import RunHarness
from tests.support.principals import ANONYMOUS, AS_DOCUMENT_READER

DOCUMENT = """\
name: Reader
agents:
  writer: {role: Writer, goal: Write, backstory: Clear., tools: [read_file, write_file]}
tasks:
  draft: {description: Draft, expected_output: A draft, agent: writer}
"""


class WritingExecutor(ScriptedExecutor):
    """Writes a file in each attempt."""

    async def execute(self, spec: RunSpec, sink: Any, control: Any) -> Any:
        control.store_file(StoredFile("out/notes.md", f"attempt {spec.attempt}".encode(), "draft"))
        control.store_file(StoredFile("out/data.bin", b"\xff\x00\n{", "draft"))
        return await super().execute(spec, sink, control)


async def start(
    client: httpx.AsyncClient, *files: tuple[str, bytes], document: str = DOCUMENT, **options: Any
) -> httpx.Response:
    parts = [("files", (name, content, "application/octet-stream")) for name, content in files]
    data = {"run": json.dumps({"workflow": document})}
    return await client.post("/runs/with-files", data=data, files=parts, **options)


async def list_artifacts(client: httpx.AsyncClient, run_id: str) -> dict[str, int]:
    answer = await client.get(f"/runs/{run_id}/artifacts")
    return {one["name"]: one["size"] for one in answer.json()["artifacts"]}


class TestStartWithFiles:
    async def test_tools_get_the_files(self, client: httpx.AsyncClient, harness: RunHarness) -> None:
        answer = await start(client, ("data/a.csv", b"x\n"), ("b.txt", b"text"))

        assert answer.status_code == 202, answer.text
        run_id = answer.json()["runId"]
        assert await list_artifacts(client, run_id) == {"data/a.csv": 2, "b.txt": 4}
        await harness.execute(run_id, 1)
        assert [(file.path, file.content) for file in harness.executor.specs[-1].files] == [
            ("b.txt", b"text"),
            ("data/a.csv", b"x\n"),
        ]
        assert (await harness.get_run(run_id)).stored_bytes > 6

    async def test_run_without_file_tools_reads_none(
        self, client: httpx.AsyncClient, harness: RunHarness
    ) -> None:
        answer = await start(
            client, ("b.txt", b"text"), document=DOCUMENT.replace(", tools: [read_file, write_file]", "")
        )

        await harness.execute(answer.json()["runId"], 1)

        assert list(harness.executor.specs[-1].files) == []

    async def test_key_creates_one_run(self, client: httpx.AsyncClient) -> None:
        key = {"Idempotency-Key": "once-with-files"}

        first = await start(client, ("b.txt", b"text"), headers=key)
        again = await start(client, ("b.txt", b"text"), headers=key)
        other = await start(client, ("b.txt", b"other"), headers=key)

        assert first.json()["runId"] == again.json()["runId"]
        assert other.status_code == 409

    async def test_retry_has_the_attached_files_only(
        self, client: httpx.AsyncClient, harness: RunHarness
    ) -> None:
        harness.executor = WritingExecutor()
        run_id = (await start(client, ("b.txt", b"text"))).json()["runId"]
        await harness.execute(run_id, 1)

        retried = await client.post(f"/runs/{run_id}/retry", json={})

        assert retried.status_code == 202, retried.text
        assert await list_artifacts(client, retried.json()["run"]["id"]) == {"b.txt": 4}

    @pytest.mark.parametrize("name", ["../a.txt", "/etc/passwd", "a\\b.txt", ".env", "nul.txt", "a/"])
    async def test_hostile_name_is_refused(self, client: httpx.AsyncClient, name: str) -> None:
        answer = await start(client, (name, b"x"))

        assert answer.status_code == 422, answer.text
        assert answer.json()["type"].endswith("run-files-refused")
        assert (await client.get("/runs")).json()["runs"] == []

    async def test_too_large(self, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("crewai_runner.features.executions.run_form.MAX_FILE_BYTES", 3)

        assert (await start(client, ("a.txt", b"four"))).status_code == 413

    async def test_same_path_twice(self, client: httpx.AsyncClient) -> None:
        assert (await start(client, ("a.txt", b"1"), ("A.txt", b"2"))).status_code == 422

    async def test_bad_run_is_refused(self, client: httpx.AsyncClient) -> None:
        files = [("files", ("a.txt", b"x", "text/plain"))]

        answers = [
            await client.post("/runs/with-files", data={"run": text}, files=files)
            for text in ("{", '{"unknown": 1}', '{"workflow": "name: x"}')
        ]

        assert [answer.status_code for answer in answers] == [422] * 3

    async def test_rights(self, client: httpx.AsyncClient) -> None:
        answers = [
            (await start(client, ("a.txt", b"x"), headers=headers)).status_code
            for headers in (ANONYMOUS, AS_DOCUMENT_READER)
        ]

        assert answers == [401, 403]


class TestWrittenFiles:
    async def test_are_artifacts_with_events(self, client: httpx.AsyncClient, harness: RunHarness) -> None:
        harness.executor = WritingExecutor()
        run_id = (await start(client, ("b.txt", b"text"))).json()["runId"]

        await harness.execute(run_id, 1)

        assert await list_artifacts(client, run_id) == {"b.txt": 4, "out/notes.md": 9, "out/data.bin": 4}
        written = await client.get(f"/runs/{run_id}/artifacts/out/data.bin")
        assert written.content == b"\xff\x00\n{"
        events = [event for event in await harness.events(run_id) if event.type == "artifact.saved"]
        assert [(event.data.name, event.task_key) for event in events] == [
            ("b.txt", None),
            ("out/notes.md", "draft"),
            ("out/data.bin", "draft"),
        ]

    async def test_next_attempt_finds_them(self, client: httpx.AsyncClient, harness: RunHarness) -> None:
        from crewai_runner.executor.port import Failed
        from crewai_runner.executor.scripted import Script
        from tests.support.builders import FAILURE

        harness.executor = WritingExecutor(Script(outcome=Failed(FAILURE)), Script())
        run_id = (await start(client, ("b.txt", b"text"))).json()["runId"]
        await harness.execute(run_id, 1)

        resumed = await client.post(f"/runs/{run_id}/resume", json={})
        await harness.execute(run_id, 2)

        assert resumed.status_code == 202, resumed.text
        files = {file.path: file.content for file in harness.executor.specs[-1].files}
        assert (files["b.txt"], files["out/notes.md"]) == (b"text", b"attempt 1")
