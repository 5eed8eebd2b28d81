import httpx
import pytest

from crewai_runner.features.crewai_plus.grants import GrantAuthenticator, TraceGrants
from crewai_runner.wiring.container import Container


@pytest.fixture
def plus(client: httpx.AsyncClient, container: Container) -> httpx.AsyncClient:
    """The client of a server that also accepts the tokens of grants."""
    container.authenticator = GrantAuthenticator(TraceGrants(container.cipher), container.authenticator)
    return client
