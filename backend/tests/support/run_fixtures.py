"""The fixtures of the features that live on runs."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from crewai_runner.core.principal import BUILTIN_WORKSPACE, Principal, Scope
from crewai_runner.main import create_app
from tests.support.catalog import database_url, postgresql_url
from tests.support.documents import TokensBySubject, speaking_as
from tests.support.runs import OWNER, STRANGER, RunHarness, open_harness

__all__ = ["database_url", "harness", "postgresql_url", "run_client"]

READING = frozenset({Scope.RUNS_READ, Scope.WORKFLOWS_READ})
RUN_READER = Principal("run-reader", BUILTIN_WORKSPACE, READING)
DOCUMENT_READER = Principal("document-reader", BUILTIN_WORKSPACE, frozenset({Scope.WORKFLOWS_READ}))


@pytest.fixture
async def harness(database_url: str, tmp_path: Path) -> AsyncIterator[RunHarness]:
    """An open process whose queue takes no job by itself; once on each database."""
    async with open_harness(database_url, tmp_path) as opened:
        yield opened


@pytest.fixture
async def run_client(harness: RunHarness) -> AsyncIterator[httpx.AsyncClient]:
    """The whole API on the harness's parts; speaks for the owner unless other headers are sent."""
    harness.container.authenticator = TokensBySubject(OWNER, STRANGER, RUN_READER, DOCUMENT_READER)
    app = create_app(container=harness.container)
    app.state.container, app.state.mask = harness.container, harness.container.mask
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://test/api/v1", headers=speaking_as("owner")
    ) as client:
        yield client
