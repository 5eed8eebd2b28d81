"""All projects of this folder through the product: upload, build with uv, run: `make test-projects`."""

from pathlib import Path

import pytest

from tests.projects.project_folders import FOLDERS, read_expected, read_files
from tests.projects.project_server import TEST_SECONDS, OutcomeTable, check_project
from tests.support.scripted_provider import ProviderProcess
from tests.support.server_process import ApiClient

pytestmark = pytest.mark.timeout(TEST_SECONDS)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_runs(folder: Path, client: ApiClient, provider: ProviderProcess, outcomes: OutcomeTable) -> None:
    _, expected = read_expected(folder)

    check_project(client, provider, read_files(folder), expected, outcomes.add(folder.name))
