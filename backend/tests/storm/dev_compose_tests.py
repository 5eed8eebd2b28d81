"""The development compose file: what is changed in a source file is live at once. `make test-compose`."""

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.storm.compose import ROOT, compose
from tests.storm.fleet import free_port

pytestmark = [pytest.mark.timeout(1800)]
PROJECT = "crewai-runner-dev-test"
LEFT_OUT = shutil.ignore_patterns(
    "node_modules", ".venv", ".tools", ".git", "dist", "data", ".*_cache", "shots"
)


class Workplace:
    """A copy of the checkout with the development containers running on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.api, self.pages = free_port(), free_port()
        ports = {"API_PORT": self.api, "FRONTEND_PORT": self.pages, "POSTGRES_PORT": free_port()}
        self._environment = os.environ | {name: str(port) for name, port in ports.items()}

    def compose(self, *arguments: str) -> str:
        where = ("--project-name", PROJECT, "--file", "docker-compose.dev.yml")
        return compose(self.folder, self._environment, *where, *arguments, patience=1500)

    def change(self, file: str, old: str, new: str) -> None:
        path = self.folder / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    @staticmethod
    def wait_for(url: str, words: str) -> float:
        """Seconds until the address answers with these words."""
        began = time.monotonic()
        while time.monotonic() - began < 60:
            try:
                if words in httpx.get(url, timeout=10, trust_env=False).text:
                    return time.monotonic() - began
            except httpx.TransportError:
                pass
            time.sleep(0.2)
        raise AssertionError(f"{url} never said {words!r}")


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workplace]:
    folder = tmp_path_factory.mktemp("dev") / "checkout"
    shutil.copytree(ROOT, folder, ignore=LEFT_OUT)
    place = Workplace(folder)
    try:
        place.compose("up", "--build", "--detach", "--wait", "--wait-timeout", "300")
        yield place
    finally:
        place.compose("down", "--volumes", "--timeout", "5")


def test_a_change_in_python_is_live(workplace: Workplace) -> None:
    containers = workplace.compose("ps", "-q")

    workplace.change("backend/crewai_runner/main.py", 'title="CrewAI Runner"', 'title="Changed Runner"')
    took = workplace.wait_for(f"http://127.0.0.1:{workplace.api}/openapi.json", "Changed Runner")

    print(f"a change in Python was live after {took:.1f} s")
    assert workplace.compose("ps", "-q") == containers


def test_a_change_in_the_dashboard_is_live(workplace: Workplace) -> None:
    module = "src/features/settings/about-card.tsx"
    url = f"http://127.0.0.1:{workplace.pages}/{module}"
    workplace.wait_for(url, "In the workers")

    workplace.change(f"frontend/{module}", "In the workers", "Somewhere else")
    took = workplace.wait_for(url, "Somewhere else")

    print(f"a change in the dashboard was live after {took:.1f} s")


def test_the_ports_are_open_and_any_origin_may_call(workplace: Workplace) -> None:
    origin = {"Origin": "http://elsewhere.example", "Authorization": "Bearer dev-key"}

    answer = httpx.get(f"http://127.0.0.1:{workplace.api}/api/about", headers=origin, trust_env=False)
    through_vite = httpx.get(f"http://127.0.0.1:{workplace.pages}/api/about", headers=origin, trust_env=False)

    assert answer.headers["access-control-allow-origin"] == "*"
    assert (answer.status_code, through_vite.status_code) == (200, 200)
    assert "level=debug" in workplace.compose("logs", "backend").lower() or "[debug" in workplace.compose(
        "logs", "backend"
    )
