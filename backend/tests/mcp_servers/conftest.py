"""Other people's MCP servers, in environments of their own.

`make test-mcp-servers` runs these tests. They are not part of `make test`: the environments take 250 MB.
"""

import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
TOOLS = ROOT / ".tools"
NODE_PACKAGES = {
    "@modelcontextprotocol/server-everything": "2026.8.31",
    "@modelcontextprotocol/server-filesystem": "2026.8.31",
    "@modelcontextprotocol/server-memory": "2026.8.31",
}
PYTHON_SERVER = Path(__file__).parent / "python_server.py"
OAUTH_SERVER = Path(__file__).parent / "oauth_server.py"
OUTSIDE_TMP = "/var/tmp"


@contextmanager
def running(command: list[str], port: int, **variables: str) -> Iterator[str]:
    """Run a server until it listens; yields its address."""
    process = subprocess.Popen(
        command, env=variables | {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin:/usr/local/bin"}
    )
    try:
        _wait_for(port, process)
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        process.terminate()
        process.wait(10)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module", params=["1.30.0", "2.3.0"])
def python_server(request: pytest.FixtureRequest) -> Iterator[str]:
    """A server written with each line of the Python library."""
    version = str(request.param)
    python, port = _python_environment(version), free_port()
    with running([str(python), str(PYTHON_SERVER), str(port)], port) as url:
        yield url


@pytest.fixture(scope="module")
def everything_server() -> Iterator[str]:
    """The reference server in Node."""
    folder, port = _node_environment(), free_port()
    entry = folder / "node_modules/@modelcontextprotocol/server-everything/dist/index.js"
    node = shutil.which("node") or str(TOOLS / "node" / "bin" / "node")
    with running([node, str(entry), "streamableHttp"], port, PORT=str(port)) as url:
        yield url


@pytest.fixture(scope="module")
def oauth_server() -> Iterator[str]:
    """A server written with FastMCP, which is its own authorization server."""
    python, port = _python_environment("4.1.7", "fastmcp"), free_port()
    with running([str(python), str(OAUTH_SERVER), str(port)], port, HOME=OUTSIDE_TMP) as url:
        yield url


@pytest.fixture(scope="module")
def node_folder() -> Iterator[Path]:
    """A copy of the Node servers that every user can read, with a folder of documents."""
    with tempfile.TemporaryDirectory(dir=OUTSIDE_TMP) as name:
        copy = Path(name)
        shutil.copytree(_node_environment() / "node_modules", copy / "node_modules", symlinks=True)
        (copy / "docs").mkdir()
        (copy / "docs" / "tea.txt").write_text("Green tea.")
        for folder in (copy, copy / "docs"):
            folder.chmod(0o755)
        yield copy


@pytest.fixture(scope="module", params=["1.30.0", "2.3.0"])
def python_folder(request: pytest.FixtureRequest) -> Iterator[Path]:
    """A copy of the example server for each line of the library, that every user can read."""
    with tempfile.TemporaryDirectory(dir=OUTSIDE_TMP) as name:
        copy = Path(name)
        environment = _python_environment(str(request.param)).parents[1]
        shutil.copytree(environment / "lib", copy / "lib", symlinks=True)
        shutil.copy(PYTHON_SERVER, copy)
        copy.chmod(0o755)
        yield copy


def _python_environment(version: str, package: str = "mcp") -> Path:
    """Return the interpreter of an environment that is created at its first use and kept."""
    folder = TOOLS / f"{package}-{version}"
    python, stamp = folder / "bin" / "python", folder / ".installed"
    if not stamp.exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", f"{package}=={version}"], check=True)
        stamp.touch()
    return python


def _node_environment() -> Path:
    folder = TOOLS / "mcp-node"
    stamp = folder / ".installed"
    wanted = json.dumps(NODE_PACKAGES)
    if not stamp.exists() or stamp.read_text() != wanted:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text(json.dumps({"private": True, "dependencies": NODE_PACKAGES}))
        subprocess.run(["npm", "install", "--silent", "--ignore-scripts"], cwd=folder, check=True)
        stamp.write_text(wanted)
    return folder


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"The server ended with {process.returncode}.")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError("The server does not listen.")
