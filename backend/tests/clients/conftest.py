"""An environment with the stock clients of CrewAI AMP, and a server for them.

`make test-clients` runs these tests. They are not part of `make test`: the environment takes 1.2 GB.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from uv import find_uv_bin

from tests.clients.programs import SAVE_LOGIN, run_client, run_command
from tests.support.scripted_provider import Say, ScriptedProvider
from tests.support.server_process import API_KEY, ServerProcess

ROOT = Path(__file__).parents[3]
ENVIRONMENT = ROOT / ".tools" / "stock-clients"
STORE = Path(tempfile.gettempdir()) / "crewai-runner-versions" / "projects"
"""The environments of deployed projects, kept for the next time."""
PACKAGES = ("crewai-tools==1.15.30", "crewai-cli==1.15.30", "semantic-kernel==1.45.0")


@pytest.fixture(scope="session")
def python() -> Path:
    """The interpreter of the environment, which is created at its first use and kept."""
    interpreter, stamp = ENVIRONMENT / "bin" / "python", ENVIRONMENT / ".installed"
    if not stamp.exists() or stamp.read_text() != "\n".join(PACKAGES):
        uv = shutil.which("uv") or str(ROOT / ".tools" / "bin" / "uv")
        subprocess.run([uv, "venv", "-q", "--clear", "--python", sys.executable, ENVIRONMENT], check=True)
        subprocess.run([uv, "pip", "install", "-q", "--python", interpreter, *PACKAGES], check=True)
        stamp.write_text("\n".join(PACKAGES))
    return interpreter


@pytest.fixture(scope="session")
def provider() -> Iterator[ScriptedProvider]:
    with ScriptedProvider() as scripted:
        scripted.on(Say("A report about tea."))
        yield scripted


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, provider: ScriptedProvider) -> Iterator[ServerProcess]:
    data_dir = tmp_path_factory.mktemp("clients") / "data"
    data_dir.mkdir()
    STORE.mkdir(parents=True, exist_ok=True)
    (data_dir / "projects").symlink_to(STORE)
    process = ServerProcess(data_dir).start()
    with process.client() as client:
        client.register_provider(provider.base_url)
    yield process
    process.stop()


@pytest.fixture
def crewai(python: Path, server: ServerProcess, tmp_path: Path) -> Callable[..., str]:
    """Runs the command line with a saved login in a folder; returns its output."""
    run_client(python, tmp_path, SAVE_LOGIN, API_KEY)

    # `deploy create` calls uv to lock the project's packages.
    path = f"{Path(find_uv_bin()).parent}{os.pathsep}{os.environ['PATH']}"
    variables = {"CREWAI_PLUS_URL": server.url, "COLUMNS": "200", "PATH": path}

    def run(*arguments: str) -> str:
        command = [str(python), "-m", "crewai_cli.cli", *arguments]
        return run_command(tmp_path, command, variables)

    return run
