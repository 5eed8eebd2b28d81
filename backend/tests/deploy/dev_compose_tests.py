"""The development compose file: what is changed in a source file is live at conflict. `make test-compose`."""

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.chaos.compose_deployment import ROOT, compose
from tests.chaos.deployment import free_port

pytestmark = [pytest.mark.timeout(1800)]
PROJECT = "crewai-runner-dev-test"
IGNORED = shutil.ignore_patterns(
    "node_modules", ".venv", ".tools", ".git", "dist", "data", ".*_cache", "shots"
)


class DevDeployment:
    """The development containers, running on a copy of the checkout."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.api_port, self.frontend_port = free_port(), free_port()
        ports = {"API_PORT": self.api_port, "FRONTEND_PORT": self.frontend_port, "POSTGRES_PORT": free_port()}
        self._environment = os.environ | {name: str(port) for name, port in ports.items()}

    def compose(self, *arguments: str) -> str:
        options = ("--project-name", PROJECT, "--file", "docker-compose.dev.yml")
        return compose(self.folder, self._environment, *options, *arguments, timeout=1500)

    def edit(self, file: str, old: str, new: str) -> None:
        path = self.folder / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    @staticmethod
    def wait_for(url: str, text: str) -> float:
        """Return the seconds until the response of this URL contains the text."""
        start = time.monotonic()
        while time.monotonic() - start < 60:
            try:
                if text in httpx.get(url, timeout=10, trust_env=False).text:
                    return time.monotonic() - start
            except httpx.TransportError:
                pass
            time.sleep(0.2)
        raise AssertionError(f"{url} never contained {text!r}")


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevDeployment]:
    folder = tmp_path_factory.mktemp("dev") / "checkout"
    shutil.copytree(ROOT, folder, ignore=IGNORED)
    running = DevDeployment(folder)
    try:
        running.compose("up", "--build", "--detach", "--wait", "--wait-timeout", "300")
        yield running
    finally:
        running.compose("down", "--volumes", "--timeout", "5")


class TestDevelopmentCompose:
    def test_python_change_reloads_the_server(self, deployment: DevDeployment) -> None:
        containers = deployment.compose("ps", "-q")

        deployment.edit("backend/crewai_runner/main.py", 'title="CrewAI Runner"', 'title="Changed Runner"')
        seconds = deployment.wait_for(
            f"http://127.0.0.1:{deployment.api_port}/openapi.json", "Changed Runner"
        )

        print(f"Python change live after {seconds:.1f} s")
        assert deployment.compose("ps", "-q") == containers

    def test_frontend_change_is_served_by_vite(self, deployment: DevDeployment) -> None:
        module = "src/features/settings/about-card.tsx"
        url = f"http://127.0.0.1:{deployment.frontend_port}/{module}"
        deployment.wait_for(url, "In the workers")

        deployment.edit(f"frontend/{module}", "In the workers", "Somewhere else")
        seconds = deployment.wait_for(url, "Somewhere else")

        print(f"frontend change live after {seconds:.1f} s")

    def test_ports_are_published_and_any_origin_is_allowed(self, deployment: DevDeployment) -> None:
        origin = {"Origin": "http://elsewhere.example", "Authorization": "Bearer dev-key"}

        response = httpx.get(
            f"http://127.0.0.1:{deployment.api_port}/api/about", headers=origin, trust_env=False
        )
        through_vite = httpx.get(
            f"http://127.0.0.1:{deployment.frontend_port}/api/about", headers=origin, trust_env=False
        )

        assert response.headers["access-control-allow-origin"] == "*"
        assert (response.status_code, through_vite.status_code) == (200, 200)
        assert "level=debug" in deployment.compose(
            "logs", "backend"
        ).lower() or "[debug" in deployment.compose("logs", "backend")
