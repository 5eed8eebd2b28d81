"""A sandbox with real bubblewrap. Without bubblewrap the tests fail; they are never skipped."""

from pathlib import Path

import pytest

from crewai_runner.executor.projects.sandbox.bubblewrap import BubblewrapSandbox
from crewai_runner.executor.projects.sandbox.unsandboxed import UnsandboxedProcess
from tests.executor.projects.sandbox.runner import ProgramRunner, make_folders


@pytest.fixture
def confined(tmp_path: Path) -> ProgramRunner:
    return ProgramRunner(BubblewrapSandbox(), make_folders(tmp_path))


@pytest.fixture(params=["bubblewrap", "unsandboxed"])
def runner(request: pytest.FixtureRequest, tmp_path: Path) -> ProgramRunner:
    sandbox = BubblewrapSandbox() if request.param == "bubblewrap" else UnsandboxedProcess()
    return ProgramRunner(sandbox, make_folders(tmp_path))
