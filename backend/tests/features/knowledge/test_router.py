"""The knowledge files of a workflow, over HTTP, and the job that embeds them."""

from typing import Any

import httpx
import pytest

from crewai_runner.db.session import unit_of_work
from crewai_runner.domain.run import RunFailure
from crewai_runner.features.knowledge import rules
from crewai_runner.features.knowledge.jobs import KnowledgeEmbeddings
from crewai_runner.features.knowledge.service import KnowledgeDeps
from tests.support.harness import RunHarness
from tests.support.principals import ANONYMOUS, AS_DOCUMENT_READER, AS_STRANGER

DOCUMENT = """\
name: Support
agents:
  writer: {role: Writer, goal: Write, backstory: Clear.}
tasks:
  draft: {description: Draft, expected_output: A draft, agent: writer}
"""
TEXT = "Returns are accepted for 30 days.\n\n" * 60


def slug_of(answer: httpx.Response) -> str:
    return str(answer.json()["type"]).rpartition("/")[2]


@pytest.fixture
async def workflow_id(client: httpx.AsyncClient) -> str:
    answer = await client.post("/workflows", json={"workflow": {"yaml": DOCUMENT}})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["workflow"]["id"])


async def upload(
    client: httpx.AsyncClient, workflow_id: str, *files: tuple[str, bytes], **options: Any
) -> httpx.Response:
    parts = [("files", (name, content, "application/octet-stream")) for name, content in files]
    return await client.post(f"/workflows/{workflow_id}/knowledge", files=parts, **options)


async def list_files(client: httpx.AsyncClient, workflow_id: str) -> list[dict[str, Any]]:
    answer = await client.get(f"/workflows/{workflow_id}/knowledge")
    assert answer.status_code == 200, answer.text
    files: list[dict[str, Any]] = answer.json()["files"]
    return files


async def embed(harness: RunHarness, file_id: str, number: int = 1) -> None:
    await KnowledgeEmbeddings(harness.container.provide(KnowledgeDeps))(file_id, number)


class TestUpload:
    async def test_is_split_and_embedded(
        self, client: httpx.AsyncClient, harness: RunHarness, workflow_id: str
    ) -> None:
        answer = await upload(client, workflow_id, ("returns.md", TEXT.encode()))

        assert answer.status_code == 201, answer.text
        [queued] = answer.json()["files"]
        assert (queued["state"], queued["size"]) == ("queued", len(TEXT))
        await embed(harness, queued["id"])
        [ready] = await list_files(client, workflow_id)
        assert (ready["state"], ready["error"], ready["isOutdated"]) == ("ready", None, False)
        assert ready["chunks"] == ready["embeddedChunks"] == 3
        assert all(
            len(text) <= rules.CHUNK_CHARACTERS for batch in harness.executor.embedded for text in batch
        )

    async def test_equal_content_is_stored_once(self, client: httpx.AsyncClient, workflow_id: str) -> None:
        await upload(client, workflow_id, ("a.txt", b"same"))

        answer = await upload(client, workflow_id, ("b.txt", b"same"))

        assert answer.json()["duplicates"] == ["b.txt"]
        assert [file["name"] for file in await list_files(client, workflow_id)] == ["a.txt"]

    async def test_same_name_replaces_the_file(
        self, client: httpx.AsyncClient, harness: RunHarness, workflow_id: str
    ) -> None:
        [first] = (await upload(client, workflow_id, ("a.txt", b"old"))).json()["files"]
        await embed(harness, first["id"])

        [second] = (await upload(client, workflow_id, ("a.txt", b"new text"))).json()["files"]
        await embed(harness, second["id"], 2)

        [file] = await list_files(client, workflow_id)
        assert (file["id"], file["state"], file["size"]) == (first["id"], "ready", 8)
        assert harness.executor.embedded == [["old"], ["new text"]]

    @pytest.mark.parametrize(
        "name",
        [
            *("../secret.txt", "a/b.txt", "..\\x.txt", "/etc/passwd.txt", "C:x.txt", ".hidden.txt"),
            *("nul.txt", "bad\u202etxt.md", "program.exe", "noextension", "a" * 300 + ".txt"),
        ],
    )
    async def test_hostile_name_is_refused(
        self, client: httpx.AsyncClient, workflow_id: str, name: str
    ) -> None:
        answer = await upload(client, workflow_id, (name, b"x"))

        assert answer.status_code in (400, 422), answer.text
        assert await list_files(client, workflow_id) == []

    async def test_nul_in_a_name_is_refused(self, client: httpx.AsyncClient, workflow_id: str) -> None:
        body = (
            b'--b\r\nContent-Disposition: form-data; name="files"; filename="a\x00.txt"\r\n\r\nx\r\n--b--\r\n'
        )

        answer = await client.post(
            f"/workflows/{workflow_id}/knowledge",
            content=body,
            headers={"Content-Type": "multipart/form-data; boundary=b"},
        )

        assert answer.status_code in (400, 422), answer.text

    async def test_file_over_its_limit_is_refused(
        self, client: httpx.AsyncClient, workflow_id: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("crewai_runner.features.knowledge.upload_form.MAX_FILE_BYTES", 10)

        answer = await upload(client, workflow_id, ("a.txt", b"x" * 11))

        assert (answer.status_code, slug_of(answer)) == (413, "knowledge-file-too-large")

    async def test_too_much_for_a_workflow_stores_nothing(
        self, client: httpx.AsyncClient, workflow_id: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("crewai_runner.features.knowledge.service.MAX_FILES", 1)

        answer = await upload(client, workflow_id, ("a.txt", b"one"), ("b.txt", b"two"))

        assert (answer.status_code, slug_of(answer)) == (409, "too-much-knowledge")
        assert await list_files(client, workflow_id) == []

    async def test_slow_upload_ends(
        self, client: httpx.AsyncClient, workflow_id: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import asyncio

        monkeypatch.setattr("crewai_runner.http.upload_time.UPLOAD_SECONDS", 0.05)

        async def body() -> Any:
            yield b"--b\r\n"
            await asyncio.sleep(30)
            yield b"--b--\r\n"

        answer = await client.post(
            f"/workflows/{workflow_id}/knowledge",
            content=body(),
            headers={"Content-Type": "multipart/form-data; boundary=b"},
        )

        assert answer.status_code == 408, answer.text

    async def test_rights(self, client: httpx.AsyncClient, workflow_id: str) -> None:
        statuses = [
            (await upload(client, workflow_id, ("a.txt", b"x"), headers=headers)).status_code
            for headers in (ANONYMOUS, AS_DOCUMENT_READER, AS_STRANGER)
        ]

        assert statuses == [401, 403, 404]


class TestEmbedding:
    async def test_failure_of_the_model_is_shown_and_can_be_repeated(
        self, client: httpx.AsyncClient, harness: RunHarness, workflow_id: str
    ) -> None:
        [file] = (await upload(client, workflow_id, ("a.txt", b"text"))).json()["files"]
        harness.executor.embedding_failure = RunFailure(
            code="provider-auth", message="The key was refused.", hint="Enter another."
        )
        await embed(harness, file["id"])
        [failed] = await list_files(client, workflow_id)

        harness.executor.embedding_failure = None
        again = await client.post(f"/workflows/{workflow_id}/knowledge/{file['id']}/embed")
        await embed(harness, file["id"], 2)

        assert (failed["state"], failed["error"]) == ("failed", "The key was refused. Enter another.")
        assert again.status_code == 202
        assert [one["state"] for one in await list_files(client, workflow_id)] == ["ready"]

    async def test_file_without_text_says_so(
        self, client: httpx.AsyncClient, harness: RunHarness, workflow_id: str
    ) -> None:
        [file] = (await upload(client, workflow_id, ("a.txt", b"  \n "))).json()["files"]

        await embed(harness, file["id"])

        [failed] = await list_files(client, workflow_id)
        assert failed["state"] == "failed"
        assert "no text" in failed["error"]

    async def test_continues_after_a_crash(
        self, client: httpx.AsyncClient, harness: RunHarness, workflow_id: str
    ) -> None:
        [file] = (await upload(client, workflow_id, ("a.md", (TEXT * 20).encode()))).json()["files"]
        calls = 0
        embed_texts = harness.executor.embed

        async def embed_once(model: Any, texts: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == 2:
                raise KeyboardInterrupt
            return await embed_texts(model, texts)

        harness.executor.embed = embed_once  # type: ignore[method-assign]
        with pytest.raises(KeyboardInterrupt):
            await embed(harness, file["id"])
        [half] = await list_files(client, workflow_id)
        await embed(harness, file["id"])

        [ready] = await list_files(client, workflow_id)
        assert (half["state"], half["embeddedChunks"]) == ("embedding", 32)
        assert (ready["state"], ready["embeddedChunks"]) == ("ready", ready["chunks"])
        embedded = [text for batch in harness.executor.embedded for text in batch]
        assert len(embedded) == ready["chunks"]

    async def test_job_of_an_older_content_does_nothing(
        self, client: httpx.AsyncClient, harness: RunHarness, workflow_id: str
    ) -> None:
        [file] = (await upload(client, workflow_id, ("a.txt", b"old"))).json()["files"]
        await upload(client, workflow_id, ("a.txt", b"new"))

        await embed(harness, file["id"], 1)

        assert harness.executor.embedded == []
        assert [one["state"] for one in await list_files(client, workflow_id)] == ["queued"]

    async def test_another_embedder_makes_files_outdated(
        self, client: httpx.AsyncClient, harness: RunHarness, workflow_id: str
    ) -> None:
        [file] = (await upload(client, workflow_id, ("a.txt", b"text"))).json()["files"]
        await embed(harness, file["id"])
        async with unit_of_work(harness.container.sessions) as session:
            from crewai_runner.db.tables.knowledge import KnowledgeFileRow

            row = await session.get(KnowledgeFileRow, file["id"])
            assert row is not None
            row.embedder = "openai:another"

        assert [one["isOutdated"] for one in await list_files(client, workflow_id)] == [True]


class TestOtherOperations:
    async def test_download_never_has_the_type_of_the_file(
        self, client: httpx.AsyncClient, workflow_id: str
    ) -> None:
        [file] = (await upload(client, workflow_id, ("page.md", b"<script>"))).json()["files"]

        answer = await client.get(f"/workflows/{workflow_id}/knowledge/{file['id']}/content")

        assert answer.content == b"<script>"
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["content-disposition"].startswith("attachment;")

    async def test_file_of_another_workflow_is_not_found(
        self, client: httpx.AsyncClient, workflow_id: str
    ) -> None:
        [file] = (await upload(client, workflow_id, ("a.txt", b"x"))).json()["files"]
        other = await client.post(
            "/workflows", json={"workflow": {"yaml": DOCUMENT.replace("Support", "Other")}}
        )
        other_id = other.json()["workflow"]["id"]

        answers = [
            await client.get(f"/workflows/{other_id}/knowledge/{file['id']}/content"),
            await client.post(f"/workflows/{other_id}/knowledge/{file['id']}/embed"),
            await client.delete(f"/workflows/{other_id}/knowledge/{file['id']}"),
        ]

        assert [slug_of(answer) for answer in answers] == ["knowledge-file-not-found"] * 3

    async def test_stranger_gets_404(self, client: httpx.AsyncClient, workflow_id: str) -> None:
        [file] = (await upload(client, workflow_id, ("a.txt", b"x"))).json()["files"]
        path = f"/workflows/{workflow_id}/knowledge"

        answers = [
            await client.get(path, headers=AS_STRANGER),
            await client.get(f"{path}/{file['id']}/content", headers=AS_STRANGER),
            await client.delete(f"{path}/{file['id']}", headers=AS_STRANGER),
        ]

        assert [answer.status_code for answer in answers] == [404] * 3

    async def test_delete_removes_file_and_chunks(
        self, client: httpx.AsyncClient, harness: RunHarness, workflow_id: str
    ) -> None:
        [file] = (await upload(client, workflow_id, ("a.txt", b"x"))).json()["files"]
        await embed(harness, file["id"])

        answer = await client.delete(f"/workflows/{workflow_id}/knowledge/{file['id']}")

        assert answer.status_code == 204
        assert await list_files(client, workflow_id) == []

    async def test_deleting_the_workflow_deletes_its_files(
        self, client: httpx.AsyncClient, harness: RunHarness, workflow_id: str
    ) -> None:
        [file] = (await upload(client, workflow_id, ("a.txt", b"x"))).json()["files"]
        await embed(harness, file["id"])

        assert (await client.delete(f"/workflows/{workflow_id}")).status_code == 204

        from crewai_runner.db.tables.knowledge import KnowledgeFileRow

        async with unit_of_work(harness.container.sessions) as session:
            assert await session.get(KnowledgeFileRow, file["id"]) is None
