"""The command `push` against a running server, with a real folder and a real build."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.operations.test_process import command
from tests.support.projects import IDLE_MAIN, make_buildable
from tests.support.server_process import API_KEY, ServerProcess

pytestmark = [pytest.mark.process, pytest.mark.timeout(300)]

SECRET = "canary-of-an-environment-file-0123456789"
FILES = make_buildable("pushed", IDLE_MAIN) | {
    ".env": f"PUSHED_TOKEN={SECRET}\n",
    ".gitignore": "data/\n",
    "data/large.csv": "1,2\n",
    ".venv/lib/installed.py": "x = 1\n",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    process = ServerProcess(
        tmp_path_factory.mktemp("push") / "data", INDEX_URL="http://127.0.0.1:9/simple", PROJECTS="off"
    )
    yield process.start()
    process.stop()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for path, content in FILES.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(content)
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    return tmp_path


Push = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def push(server: ServerProcess, folder: Path) -> Push:
    def run(*options: str, key: str = API_KEY) -> subprocess.CompletedProcess[str]:
        variables = {"CREWAI_RUNNER_URL": server.url, "CREWAI_RUNNER_API_KEY": key}
        return command("push", folder, *options, **variables)

    return run


class TestPush:
    def test_versions_secrets_and_exit_status(self, push: Push, server: ServerProcess, folder: Path) -> None:
        first = output_of_push(push("--with-env"))
        (folder / "main.py").touch()
        same = output_of_push(push("--with-env"))
        (folder / "main.py").write_text(FILES["main.py"].replace("Done", "Done again"))
        changed = output_of_push(push())

        assert "pushed, version 1: queued." in first
        assert "Stored encrypted as secrets: PUSHED_TOKEN." in first
        assert first.rstrip().endswith("Version 1 is ready.")
        assert len(first.splitlines()) > 6, "the log of the build is missing"
        assert "Version 1 has the same content; no version was added." in same
        assert "pushed, version 2: queued." in changed
        assert "Left out: .env." in changed
        with server.client() as client:
            [project] = client.get("/api/projects", q="pushed")["projects"]
            files = client.get(f"/api/projects/{project['id']}/versions/1/files")["files"]
            shown = client.http.get(f"/api/projects/{project['id']}").text
        assert project["newestVersion"] == 2
        assert [file["path"] for file in files] == [".gitignore", "main.py", "pyproject.toml", "uv.lock"]
        assert "PUSHED_TOKEN" in shown
        for place in (shown, first, same, changed, server.log()):
            assert SECRET not in place
        stored = [path for path in server.data_dir.rglob("*") if path.is_file()]
        assert not [path for path in stored if SECRET.encode() in path.read_bytes()]

    def test_build_that_fails(self, push: Push, folder: Path) -> None:
        (folder / "pyproject.toml").write_text(FILES["pyproject.toml"].replace('"pushed"', '"unbuilt"'))
        (folder / "uv.lock").unlink()

        finished = push()

        assert finished.returncode == 1
        assert "unbuilt, version 1: queued." in finished.stdout
        assert "Version 1 was uploaded, but its build failed" in finished.stderr

    def test_refusals_are_one_line(self, push: Push, folder: Path) -> None:
        wrong_key = push(key="wrong-key-0123456789")
        missing = command("push", folder / "nowhere", CREWAI_RUNNER_API_KEY=API_KEY)

        for finished, text in ((wrong_key, "401"), (missing, "is not a folder")):
            assert finished.returncode == 1
            assert text in finished.stderr
            assert len(finished.stderr.splitlines()) == 1


def output_of_push(finished: subprocess.CompletedProcess[str]) -> str:
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout + finished.stderr
