"""The command `push`: which files it sends, to which project, and what it prints."""

import io
import json
import os
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import httpx
import pytest

from crewai_runner.operations.errors import OperationError
from crewai_runner.operations.project_files import pack_folder
from crewai_runner.operations.push import Push, push
from tests.operations.conftest import make_settings

FILES = ("pyproject.toml", "src/daily/main.py", ".env", "data/big.csv", ".venv/lib/x.py", "__pycache__/a.pyc")
URL = "http://runner.test"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "daily"
    for name in FILES:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('[project]\nname = "daily-brief"\n' if name == "pyproject.toml" else "x")
    (root / "link.py").symlink_to("/etc/passwd")
    return root


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREWAI_RUNNER_API_KEY", "cr_key")


class Server:
    """Answers the requests of the command, and records them."""

    def __init__(self, *known: str) -> None:
        self.known, self.requests = known, list[httpx.Request]()
        self.result = "ready"

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if request.url.path.endswith("/build/log"):
            return self._answer_log(int(request.url.params["after"]))
        if request.method == "GET":
            projects = [{"id": f"proj_{name}", "name": name} for name in self.known]
            return httpx.Response(200, json={"projects": projects, "nextCursor": None})
        project = {"id": "proj_1", "name": "daily-brief", "version": {"number": 2, "status": "queued"}}
        return httpx.Response(201, json={"project": project, "sealedNames": ["A"], "warnings": ["Look."]})

    def _answer_log(self, after: int) -> httpx.Response:
        """The log in three parts, the second of which ends within a line; then nothing more."""
        parts = ["Resolving\n", "Instal", "ling\n", ""]
        status = "building" if after < 2 else self.result
        build = {"status": status, "error": "no wheel" if status == "failed" else None}
        return httpx.Response(200, json={"text": parts[after], "next": min(after + 1, 3), "build": build})

    def push(self, folder: Path, **options: Any) -> list[str]:
        settings = make_settings(folder.parent, "sqlite:///x.db")
        request = Push(folder, URL, **options)
        return list(push(settings, request, httpx.MockTransport(self)))


def paths_in(body: bytes) -> set[str]:
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        return set(archive.namelist())


class TestPackFolder:
    def test_leaves_out_secrets_caches_packages_and_links(self, folder: Path) -> None:
        packed = pack_folder(folder)

        assert paths_in(packed.archive) == {"pyproject.toml", "src/daily/main.py", "data/big.csv"}
        assert (packed.file_count, packed.left_out) == (3, [".env"])

    def test_files_from_before_1980(self, folder: Path) -> None:
        os.utime(folder / "pyproject.toml", (0, 0))

        assert "pyproject.toml" in paths_in(pack_folder(folder).archive)

    def test_with_environment(self, folder: Path) -> None:
        packed = pack_folder(folder, with_environment=True)

        assert ".env" in paths_in(packed.archive)
        assert packed.left_out == []

    def test_leaves_out_what_git_ignores(self, folder: Path) -> None:
        subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
        (folder / ".gitignore").write_text("data/\n")

        packed = pack_folder(folder)

        assert paths_in(packed.archive) == {".gitignore", "pyproject.toml", "src/daily/main.py"}

    def test_empty(self, tmp_path: Path) -> None:
        with pytest.raises(OperationError, match="no files"):
            pack_folder(tmp_path)


class TestPush:
    def test_new_project(self, folder: Path) -> None:
        server = Server("daily-brief 2")

        lines = server.push(folder)

        sent = server.requests[1]
        assert (sent.method, sent.url.path) == ("POST", "/api/v1/projects")
        assert sent.url.params["name"] == "daily-brief"
        assert sent.headers["Authorization"] == "Bearer cr_key"
        assert lines == [
            "Left out: .env. --with-env sends them, to be stored encrypted.",
            "Uploading 3 files, 0.0 MiB ...",
            "daily-brief, version 2: queued.",
            "Warning: Look.",
            "Stored encrypted as secrets: A.",
            f"{URL}/projects/proj_1",
            "Resolving",
            "Installing",
            "Version 2 is ready.",
        ]

    def test_failed_build_fails_the_command(self, folder: Path) -> None:
        server = Server()
        server.result = "failed"

        with pytest.raises(OperationError, match="Version 2 was uploaded, but its build failed: no wheel"):
            server.push(folder)

    def test_without_following_the_build(self, folder: Path) -> None:
        server = Server()

        lines = server.push(folder, follows_build=False)

        assert lines[-1] == f"{URL}/projects/proj_1"
        assert not any(request.url.path.endswith("/log") for request in server.requests)

    def test_next_version_of_the_project_with_its_name(self, folder: Path) -> None:
        server = Server("daily-brief")

        server.push(folder, note="Shorter")

        assert server.requests[1].url.path == "/api/v1/projects/proj_daily-brief/versions"
        assert server.requests[1].url.params["note"] == "Shorter"

    def test_refused_upload(self, folder: Path) -> None:
        def refuse(_request: httpx.Request) -> httpx.Response:
            return httpx.Response(422, content=json.dumps({"detail": "The archive has no files."}))

        settings = make_settings(folder.parent, "sqlite:///x.db")
        with pytest.raises(OperationError, match="422: The archive has no files"):
            list(push(settings, Push(folder, URL, project="proj_1"), httpx.MockTransport(refuse)))

    def test_key_of_another_server_is_never_sent(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("CREWAI_RUNNER_API_KEY")

        with pytest.raises(OperationError, match="CREWAI_RUNNER_API_KEY"):
            Server().push(folder)
