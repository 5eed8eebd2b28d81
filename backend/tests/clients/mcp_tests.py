"""Stock MCP clients of other people, unchanged, against a running server, in both eras of the protocol."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.mcp_programs import CASES, NODE_CLIENT, PYTHON_1_CLIENT, PYTHON_2_CLIENT
from tests.support.scripted_provider import Hold, Say, ScriptedProvider
from tests.support.server_process import API_KEY, ApiClient, ServerProcess

ROOT = Path(__file__).parents[3]
TOOLS = ROOT / ".tools"
PYTHON_CLIENTS = {"1": "mcp==1.30.0", "2": "mcp==2.3.0"}
NODE_PACKAGE = "@modelcontextprotocol/sdk@1.32.2"
DOCUMENT = """\
name: {name}
agents:
  writer: {{role: Writer, goal: Write, backstory: Clear.}}
tasks:
  draft: {{description: "Draft about {{topic}}", expected_output: A draft, agent: writer}}
  report: {{description: "Write about {{topic}}", expected_output: A report, agent: writer{more}}}
inputs:
  topic: {{type: string}}
"""


@pytest.fixture(scope="module")
def provider() -> Iterator[ScriptedProvider]:
    with ScriptedProvider() as scripted:
        scripted.on(Hold("held", Say("Too late.")), last_contains="held")
        scripted.on(Say("A report about tea."))
        yield scripted


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, provider: ScriptedProvider) -> Iterator[ServerProcess]:
    process = ServerProcess(tmp_path_factory.mktemp("mcp-clients") / "data").start()
    with process.client() as client:
        client.register_provider(provider.base_url)
        for name, more in (("Tea report", ""), ("Reviewed report", ", human_input: true")):
            document = DOCUMENT.format(name=name, more=more)
            client.post("/api/workflows", {"workflow": {"yaml": document}})
    yield process
    provider.release("held")
    process.stop()


def install_python(name: str) -> Path:
    """Return the interpreter of a client's environment, which is created at its first use and kept."""
    environment, package = TOOLS / f"mcp-clients-{name}", PYTHON_CLIENTS[name]
    interpreter, stamp = environment / "bin" / "python", environment / ".installed"
    if not stamp.exists() or stamp.read_text() != package:
        uv = shutil.which("uv") or str(Path(sys.executable).parent / "uv")
        subprocess.run([uv, "venv", "-q", "--clear", "--python", sys.executable, environment], check=True)
        subprocess.run([uv, "pip", "install", "-q", "--python", interpreter, package], check=True)
        stamp.write_text(package)
    return interpreter


def install_node() -> Path:
    """Return the folder in which Node finds the client."""
    folder = TOOLS / "mcp-client-node"
    stamp = folder / ".installed"
    if not stamp.exists() or stamp.read_text() != NODE_PACKAGE:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text('{"private": true}')
        install = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--silent", NODE_PACKAGE]
        subprocess.run(install, cwd=folder, check=True)
        stamp.write_text(NODE_PACKAGE)
    return folder


def run_client(client: str, case: str, server: ServerProcess, tmp_path: Path) -> str:
    """Run one case with a client and return what it has printed."""
    arguments = [case, f"{server.url}/mcp", API_KEY]
    kind, _, mode = client.partition(" ")
    if kind == "node":
        folder = install_node()
        (folder / "client.mjs").write_text(NODE_CLIENT)
        command = ["node", str(folder / "client.mjs"), *arguments]
    else:
        script = PYTHON_1_CLIENT if kind == "1" else PYTHON_2_CLIENT
        command = [str(install_python(kind)), "-c", script, *arguments, *([mode] if mode else [])]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(params=["1", "2 legacy", "2 2026-07-28", "node"])
def client(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.timeout(900)
class TestStockClient:
    def test_lists_and_calls_with_progress(self, client: str, server: ServerProcess, tmp_path: Path) -> None:
        output = run_client(client, CASES.CALL, server, tmp_path)

        assert "TOOLS reviewed-report tea-report list_runs get_run stop_run answer_approval" in output
        assert "PROGRESS 1 2" in output
        assert "PROGRESS 2 2" in output
        assert "RESULT False A report about tea." in output

    def test_approval_is_answered(self, client: str, server: ServerProcess, tmp_path: Path) -> None:
        output = run_client(client, CASES.APPROVE, server, tmp_path)

        assert "STATE waiting human-input" in output
        assert "ANSWERED approved" in output
        assert "STATE completed" in output

    def test_handle_of_a_long_run(self, client: str, server: ServerProcess, tmp_path: Path) -> None:
        output = run_client(client, CASES.HANDLE, server, tmp_path)

        assert "HANDLE True" in output
        assert "STOPPED stopped" in output

    def test_cancelling_stops_the_run(self, client: str, server: ServerProcess, tmp_path: Path) -> None:
        if client == "1":
            pytest.skip("This client tells the server nothing when a call is cancelled.")
        run_client(client, CASES.CANCEL, server, tmp_path)

        with server.client() as api:
            run_id = find_newest(api)
            api.wait_for_state(run_id, "stopped")


def find_newest(api: ApiClient) -> str:
    return str(api.get("/api/runs")["runs"][0]["id"])
