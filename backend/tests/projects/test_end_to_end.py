"""A few projects of this folder through the product: upload, build, run. `make test-projects` has all.

The first run on a machine downloads their packages; later ones find the environments in the cache.
"""

import pytest

from tests.projects.project_folders import PROJECTS, read_expected, read_files
from tests.projects.project_server import TEST_SECONDS, OutcomeTable, check_project
from tests.support.scripted_provider import ProviderProcess
from tests.support.server_process import ApiClient

FEW = ("crew_file_team", "custom_tools")
"""A `crew.jsonc` with CrewAI 1.15, and code with tools of its own with 0.95."""

pytestmark = [pytest.mark.process, pytest.mark.timeout(TEST_SECONDS)]


@pytest.mark.parametrize("name", FEW)
def test_runs(name: str, client: ApiClient, provider: ProviderProcess, outcomes: OutcomeTable) -> None:
    folder = PROJECTS / name
    _, expected = read_expected(folder)

    check_project(client, provider, read_files(folder), expected, outcomes.add(name))
