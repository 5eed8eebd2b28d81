"""The projects of this folder through the product: upload, build with uv, run: `make test-projects`.

The server is a separate process, with the event loop and the rights of files that it has in production.
Environments and uv's cache stay under the system's folder for temporary files.
"""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from crewai_runner.executor.projects.bridge.environment import PROVIDER_KEYS
from tests.projects.test_inspection import FOLDERS, read_files
from tests.support.projects import zip_project
from tests.support.scripted_provider import ProviderProcess, Rule, Say
from tests.support.server_process import ApiClient, ServerProcess

STORE = Path(tempfile.gettempdir()) / "crewai-runner-versions" / "projects"
BUILD_SECONDS, RUN_SECONDS = 600.0, 180.0
ANSWER = 'Thought: I now can give a great answer\nFinal Answer: {"number": "7", "total": 12.5, "items": []}'
WITHOUT_RESULT = {
    "knowledge_files": "a file that it reads is not in it, as the inspection says",
    "asks_the_user": "EOFError: it asks for input, which a run cannot give it",
}
"""Projects that cannot complete, and why."""
Json = dict[str, Any]

pytestmark = pytest.mark.timeout(BUILD_SECONDS + RUN_SECONDS + 60)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiClient]:
    data_dir = tmp_path_factory.mktemp("server") / "data"
    data_dir.mkdir()
    STORE.mkdir(parents=True, exist_ok=True)
    (data_dir / "projects").symlink_to(STORE)
    server = ServerProcess(data_dir).start()
    with ProviderProcess() as provider, server.client() as client:
        provider.script([Rule(Say(ANSWER))])
        client.register_provider(provider.base_url)
        yield client
    server.stop()


@pytest.fixture(scope="module")
def table() -> Iterator[list[str]]:
    """Lines that are printed at the end (`-s`)."""
    lines = ["", "project                crewai      build s  run s  calls  status"]
    yield lines
    print("\n".join(lines))


def wait(client: ApiClient, path: str, key: str, ends: set[str], seconds: float) -> Json:
    """Return the object at `key` of the answer once its status is one of `ends`."""
    deadline = time.monotonic() + seconds
    while True:
        found: Json = client.get(path)[key]
        if found["status"] in ends:
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.3)


def upload(client: ApiClient, folder: Path) -> Json:
    body = zip_project(dict[str, str | bytes](read_files(folder)))
    response = client.http.post("/api/v1/projects", content=body, headers={"Content-Type": "application/zip"})
    assert response.status_code == httpx.codes.CREATED, response.text
    project: Json = response.json()["project"]
    return project


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_runs(folder: Path, client: ApiClient, table: list[str]) -> None:
    project = upload(client, folder)
    path, started = f"/api/v1/projects/{project['id']}/versions/1/build", time.monotonic()
    build = wait(client, path, "build", {"ready", "failed"}, BUILD_SECONDS)
    log, built = client.get(f"{path}/log")["text"], time.monotonic()
    assert build["status"] == "ready", f"{build['error']}\n{log[-2000:]}"

    for name in set(project["version"]["inspection"]["environmentNames"]) - {
        "MODEL",
        "SHOP_MODEL",
        *PROVIDER_KEYS,
    }:
        secret = client.http.put(f"/api/v1/projects/{project['id']}/secrets/{name}", json={"value": "5"})
        assert secret.is_success, secret.text
    inputs = {one["name"]: "tea" for one in project["version"]["inspection"]["inputs"] if one["required"]}
    answer = client.post("/api/v1/runs", {"projectId": project["id"], "inputs": inputs})
    run_path = f"/api/v1/runs/{answer['runId']}"
    run = wait(client, run_path, "run", {"completed", "failed", "stopped", "waiting"}, RUN_SECONDS)

    error = (run["error"] or {}).get("message")
    calls, seconds = run["usage"]["llmCalls"], time.monotonic() - built
    version = project["version"]["inspection"]["crewai"]
    line = f"{folder.name:22} {version!s:11} {built - started:7.1f} {seconds:6.1f} {calls:6} {run['status']}"
    table.append(line + (f": {error}" if error else ""))
    if folder.name not in WITHOUT_RESULT:
        assert (run["status"], error) == ("completed", None)
        assert calls > 0
