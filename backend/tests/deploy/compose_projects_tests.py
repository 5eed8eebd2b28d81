"""Projects in docker-compose.yml: upload, build, run, stop, and a hostile one. `make test-compose`."""

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.chaos.compose_deployment import ComposeDeployment
from tests.support.project_runs import CALL_MODEL
from tests.support.projects import zip_project
from tests.support.scripted_provider import ScriptedProvider
from tests.support.server_process import ApiClient

pytestmark = [pytest.mark.timeout(1200)]
MEMBER = "sandbox-1"
BUILD_SECONDS, RUN_SECONDS = 600.0, 120.0
PROJECT = '[project]\nname = "small"\nversion = "1"\ndependencies = []\n'
MAIN = """
from model import ask

def run():
    open("report.md", "w").write("# " + ask("hello"))
    return {"answer": "written"}
"""
SLEEPER = """
import os, signal, time
from model import ask

def run():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    for _ in range(4):
        if os.fork() == 0:
            os.setsid()
            time.sleep(300)
    try:
        ask("hello")
    finally:
        time.sleep(300)
"""
PROBE = """
import os, socket, sys

def attempt(action):
    try:
        return str(action() or "done")
    except OSError as error:
        return type(error).__name__

def dial(host, port):
    with socket.socket() as client:
        client.settimeout(3)
        client.connect((host, port))

def read(path):
    return os.listdir(path) if os.path.isdir(path) else open(path).read()

def run():
    paths = ["/data", "/run/secrets", "/run/crewai-runner", "/runs", "/etc/shadow", "/proc/1/environ"]
    paths += ["/environments", "/environments/cache", "/proc", "/"]
    found = {path: attempt(lambda: read(path)) for path in paths}
    hosts = [("postgres", 5432), ("api", 8000), ("worker", 8000), ("169.254.169.254", 80)]
    hosts += [("127.0.0.1", 8000), (HOST, 22), ("1.1.1.1", 443)]
    found.update({f"{host}:{port}": attempt(lambda: dial(host, port)) for host, port in hosts})
    found["interfaces"] = attempt(lambda: socket.if_nameindex()[0][1])
    found["writes"] = attempt(lambda: open(sys.prefix + "/x", "w"))
    found["keys"] = str(sorted(name for name in os.environ if "SECRET" in name or "PASSWORD" in name))
    found["user"] = str(os.getuid())
    return found
"""
Json = dict[str, Any]


@pytest.fixture(scope="module")
def deployment() -> Iterator[ComposeDeployment]:
    with ComposeDeployment(replicas=1, workers=1, ALLOW_PRIVATE_HOSTS="true") as running:
        yield running


@pytest.fixture(scope="module")
def client(deployment: ComposeDeployment) -> Iterator[ApiClient]:
    with deployment.client() as found:
        yield found


@pytest.fixture
def provider(deployment: ComposeDeployment) -> Iterator[ScriptedProvider]:
    with ScriptedProvider(host="0.0.0.0") as scripted:  # containers call it
        with deployment.client() as client:
            client.register_provider(f"http://{deployment.provider_host}:{scripted.port}/v1")
        yield scripted
        deployment.delete_providers()


def upload(client: ApiClient, main: str) -> str:
    """Upload a project of plain Python, and wait for its build; return its id."""
    body = zip_project({"pyproject.toml": PROJECT, "main.py": main, "model.py": CALL_MODEL})
    response = client.http.post("/api/v1/projects", content=body, headers={"Content-Type": "application/zip"})
    assert response.status_code == httpx.codes.CREATED, response.text
    project: Json = response.json()["project"]
    project_id: str = project["id"]
    path, deadline = f"/api/v1/projects/{project_id}/versions/1/build", time.monotonic() + BUILD_SECONDS
    while (build := client.get(path)["build"])["status"] not in ("ready", "failed"):
        assert time.monotonic() < deadline, build
        time.sleep(0.3)
    assert build["status"] == "ready", client.get(f"{path}/log")["text"][-2000:]
    entry = {"kind": "script", "path": "main.py", "name": "run"}
    changed = client.http.patch(f"/api/v1/projects/{project_id}", json={"entryPoint": entry})
    assert changed.is_success, changed.text
    return project_id


def start(client: ApiClient, project_id: str) -> str:
    return str(client.post("/api/v1/runs", {"projectId": project_id})["runId"])


def list_users(deployment: ComposeDeployment) -> set[str]:
    """Return the users of the processes in the sandbox's container."""
    program = (
        "import pathlib\n"
        "for file in pathlib.Path('/proc').glob('[0-9]*/status'):\n"
        "    try: print(file.read_text().split('Uid:')[1].split()[0])\n"
        "    except OSError: pass"
    )
    return set(deployment.execute(MEMBER, "python", "-c", program).split())


class TestContainer:
    def test_has_no_network_no_secrets_and_two_rights(self, deployment: ComposeDeployment) -> None:
        found = deployment.inspect(MEMBER)
        host = found["HostConfig"]

        assert (host["NetworkMode"], host["Privileged"], host["ReadonlyRootfs"]) == ("none", False, True)
        assert (host["CapDrop"], sorted(host["CapAdd"])) == (["ALL"], ["SETGID", "SETUID"])
        assert host["SecurityOpt"] == ["no-new-privileges:true"]
        assert host["Memory"] > 0
        assert host["PidsLimit"] > 0
        volumes = {mount["Destination"]: mount["RW"] for mount in found["Mounts"] if mount.get("Name")}
        assert volumes.pop("/data", None) is not None  # an empty one: the image declares it
        assert volumes == {"/environments": False, "/run/crewai-runner": True, "/runs": True}
        assert {value.partition("=")[0] for value in found["Config"]["Env"]} & {
            "API_KEY",
            "SECRET_KEY",
        } == set()
        status = deployment.execute(MEMBER, "cat", "/proc/1/status")
        assert "CapEff:\t00000000000000c0" in status
        assert found["State"]["Health"]["Status"] == "healthy"

    def test_doctor_names_it(self, deployment: ComposeDeployment) -> None:
        report = deployment.execute("worker-1", "sh", "-c", "crewai-runner doctor --json || true")
        [finding] = [one for one in json.loads(report)["findings"] if one["check"] == "projects"]

        assert (finding["level"], "the sandbox service holds" in finding["message"]) == ("ok", True), finding


class TestProjects:
    def test_a_project_is_built_and_runs(
        self, deployment: ComposeDeployment, client: ApiClient, provider: ScriptedProvider
    ) -> None:
        run_id = start(client, upload(client, MAIN))
        run = client.wait_for_state(run_id, "completed", timeout=RUN_SECONDS)
        artifacts = [
            event["data"]["name"] for event in client.events(run_id) if event["type"] == "artifact.saved"
        ]

        assert run["usage"]["llmCalls"] == 1
        assert "report.md" in artifacts
        assert list_users(deployment) == {"0"}
        assert deployment.execute(MEMBER, "ls", "/runs").split() == ["services"]

    def test_a_stop_leaves_nothing(
        self, deployment: ComposeDeployment, client: ApiClient, provider: ScriptedProvider
    ) -> None:
        provider.delay = 60.0
        run_id = start(client, upload(client, SLEEPER))
        provider.wait_for_requests(1, timeout=60)
        assert len(list_users(deployment)) == 2
        started = time.monotonic()

        stopped = client.post(f"/api/v1/runs/{run_id}/stop")

        print(f"stopped after {time.monotonic() - started:.1f} s")
        assert stopped["receipt"]["mode"] == "killed"
        assert stopped["receipt"]["llmCallsAfterStop"] == 0
        assert list_users(deployment) == {"0"}

    def test_a_hostile_project_reaches_nothing(
        self, deployment: ComposeDeployment, client: ApiClient, provider: ScriptedProvider
    ) -> None:
        host = deployment.provider_host
        run_id = start(client, upload(client, PROBE.replace("HOST", repr(host))))
        run = client.wait_for_state(run_id, "completed", timeout=RUN_SECONDS)
        found = run["result"]["jsonOutput"]

        print(found)
        assert int(found.pop("user")) >= 20_000
        assert (found.pop("interfaces"), found.pop("keys")) == ("lo", "[]")
        assert set(found.values()) <= {"PermissionError", "gaierror", "OSError", "FileNotFoundError"}
