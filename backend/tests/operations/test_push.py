"""The command `push`: which files it sends, to which project, and what it prints."""

import io
import json
import subprocess
import zipfile
from pathlib import Path

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

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if request.method == "GET":
            projects = [{"id": f"proj_{name}", "name": name} for name in self.known]
            return httpx.Response(200, json={"projects": projects, "nextCursor": None})
        project = {"id": "proj_1", "name": "daily-brief", "version": {"number": 2, "status": "queued"}}
        return httpx.Response(201, json={"project": project, "sealedNames": ["A"], "warnings": ["Look."]})

    def push(self, folder: Path, **options: str) -> list[str]:
        settings = make_settings(folder.parent, "sqlite:///x.db")
        request = Push(folder, URL, **options)
        return list(push(settings, request, httpx.MockTransport(self)))


def paths_in(body: bytes) -> set[str]:
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        return set(archive.namelist())


class TestPackFolder:
    def test_leaves_out_secrets_caches_packages_and_links(self, folder: Path) -> None:
        body, count = pack_folder(folder)

        assert paths_in(body) == {"pyproject.toml", "src/daily/main.py", "data/big.csv"}
        assert count == 3

    def test_with_environment(self, folder: Path) -> None:
        body, _ = pack_folder(folder, with_environment=True)

        assert ".env" in paths_in(body)

    def test_leaves_out_what_git_ignores(self, folder: Path) -> None:
        subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
        (folder / ".gitignore").write_text("data/\n")

        body, _ = pack_folder(folder)

        assert paths_in(body) == {".gitignore", "pyproject.toml", "src/daily/main.py"}

    def test_empty(self, tmp_path: Path) -> None:
        with pytest.raises(OperationError, match="no files"):
            pack_folder(tmp_path)


class TestPush:
    def test_new_project(self, folder: Path) -> None:
        server = Server("daily-brief 2")

        lines = server.push(folder)

        sent = server.requests[-1]
        assert (sent.method, sent.url.path) == ("POST", "/api/v1/projects")
        assert sent.url.params["name"] == "daily-brief"
        assert sent.headers["Authorization"] == "Bearer cr_key"
        assert lines == [
            "daily-brief, version 2: 3 files, queued.",
            "Warning: Look.",
            "Stored encrypted as secrets: A.",
            f"{URL}/projects/proj_1",
        ]

    def test_next_version_of_the_project_with_its_name(self, folder: Path) -> None:
        server = Server("daily-brief")

        server.push(folder, note="Shorter")

        assert server.requests[-1].url.path == "/api/v1/projects/proj_daily-brief/versions"
        assert server.requests[-1].url.params["note"] == "Shorter"

    def test_refused_upload(self, folder: Path) -> None:
        def refuse(_request: httpx.Request) -> httpx.Response:
            return httpx.Response(422, content=json.dumps({"detail": "The archive has no files."}))

        settings = make_settings(folder.parent, "sqlite:///x.db")
        with pytest.raises(OperationError, match="422: The archive has no files"):
            push(settings, Push(folder, URL, project="proj_1"), httpx.MockTransport(refuse))

    def test_key_of_another_server_is_never_sent(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("CREWAI_RUNNER_API_KEY")

        with pytest.raises(OperationError, match="CREWAI_RUNNER_API_KEY"):
            Server().push(folder)
