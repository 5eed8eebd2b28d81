"""The wheel in an empty environment: it serves the dashboard, and runs a crew from an empty folder."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.scripted_provider import ScriptedProvider
from tests.support.server_process import TWO_TASKS, ApiClient

pytestmark = pytest.mark.timeout(900)
BACKEND = Path(__file__).parents[2]
API_KEY = "canary-of-the-api-key-0123456789"


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The installed command."""
    [wheel] = (BACKEND / "dist").glob("*.whl")
    environment = tmp_path_factory.mktemp("wheel") / "environment"
    uv = os.environ["UV"]
    subprocess.run([uv, "venv", "--quiet", "--python", BACKEND / ".venv/bin/python", environment], check=True)
    subprocess.run(
        [uv, "pip", "install", "--quiet", "--python", environment / "bin/python", wheel], check=True
    )
    return environment / "bin" / "crewai-runner"


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "API_KEY": API_KEY,
        "ALLOW_PRIVATE_HOSTS": "true",
    }


@pytest.fixture
def url(program: Path, settings: dict[str, str], tmp_path: Path) -> Iterator[str]:
    environment = settings | {"API_PORT": "0"}
    with subprocess.Popen(
        [program, "serve"], cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        yield next(line.split("running at")[1].strip() for line in server.stdout if "running at" in line)
        server.terminate()


def test_serves_the_dashboard_and_runs_a_crew(
    url: str, program: Path, settings: dict[str, str], tmp_path: Path
) -> None:
    page = httpx.get(url)
    assert "<div id=" in page.text
    (tmp_path / "crew.yaml").write_text(TWO_TASKS)
    with ScriptedProvider() as provider, ApiClient(url, API_KEY) as client:
        client.register_provider(provider.base_url)
        key = {"CREWAI_RUNNER_URL": url, "CREWAI_RUNNER_API_KEY": API_KEY}

        done = subprocess.run(
            [program, "run", "crew.yaml", "--wait"],
            cwd=tmp_path,
            env=settings | key,
            capture_output=True,
            text=True,
            check=False,
        )

    assert (done.returncode, done.stdout) == (0, "Answer 2\n"), done.stderr
