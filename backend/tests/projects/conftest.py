"""The folders here are projects to read, not tests. Tests that run them add a line each to one table."""

from collections.abc import Iterator

import pytest

from tests.projects.project_server import OutcomeTable, create_server
from tests.support.scripted_provider import ProviderProcess
from tests.support.server_process import ApiClient, ServerProcess

collect_ignore_glob = ["*/*"]
_TABLE = OutcomeTable()


@pytest.fixture(scope="session")
def outcomes() -> OutcomeTable:
    """What the projects did; printed at the end of the session."""
    return _TABLE


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _TABLE.outcomes:
        terminalreporter.section("projects")
        terminalreporter.write_line(_TABLE.format())


@pytest.fixture(scope="module")
def provider() -> Iterator[ProviderProcess]:
    with ProviderProcess() as running:
        yield running


@pytest.fixture(scope="module")
def server(provider: ProviderProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A running server whose default model is that of the scripted provider."""
    running = create_server(tmp_path_factory.mktemp("server")).start()
    with running.client() as client:
        client.register_provider(provider.base_url)
    yield running
    if running.is_running:
        running.stop()


@pytest.fixture(scope="module")
def client(server: ServerProcess) -> Iterator[ApiClient]:
    with server.client() as opened:
        yield opened
