"""A sandbox with real bubblewrap, and one with the real service. Without bubblewrap the tests fail."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from crewai_runner.executor.projects.sandbox.bubblewrap import BubblewrapSandbox
from crewai_runner.executor.projects.sandbox.port import Sandbox
from crewai_runner.executor.projects.sandbox.service import SandboxService
from crewai_runner.executor.projects.sandbox.unsandboxed import UnsandboxedProcess
from tests.executor.projects.sandbox.runner import ProgramRunner, make_folders
from tests.support.sandbox_container import SandboxContainer


@pytest.fixture
def confined(tmp_path: Path) -> ProgramRunner:
    return ProgramRunner(BubblewrapSandbox(), make_folders(tmp_path))


@pytest.fixture(scope="session")
def container() -> Iterator[SandboxContainer]:
    if os.geteuid() != 0:
        pytest.skip("the sandbox service runs commands as other users: that needs root")
    with SandboxContainer() as running:
        yield running


@pytest.fixture
def served(container: SandboxContainer, tmp_path: Path) -> ProgramRunner:
    """Runs programs in the sandbox service."""
    return ProgramRunner(SandboxService(container.places), make_folders(tmp_path))


@pytest.fixture(params=["confined", "served"])
def sandboxed(request: pytest.FixtureRequest) -> ProgramRunner:
    found: ProgramRunner = request.getfixturevalue(request.param)
    return found


@pytest.fixture(params=["bubblewrap", "service", "unsandboxed"])
def runner(request: pytest.FixtureRequest, tmp_path: Path) -> ProgramRunner:
    if request.param == "service":
        served: ProgramRunner = request.getfixturevalue("served")
        return served
    sandbox: Sandbox = BubblewrapSandbox() if request.param == "bubblewrap" else UnsandboxedProcess()
    return ProgramRunner(sandbox, make_folders(tmp_path))
