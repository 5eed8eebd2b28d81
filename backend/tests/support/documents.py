"""Documents, and an API of the features that read them."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import APIRouter, FastAPI

from crewai_runner.core.logging import SecretMask
from crewai_runner.core.principal import Principal, Scope
from crewai_runner.db.session import Sessions
from crewai_runner.domain.workflow_yaml.cross_references import Registry
from crewai_runner.features.auth.deps import BearerScheme
from crewai_runner.features.auth.errors import InvalidApiKey
from crewai_runner.features.auth.middleware import AuthMiddleware
from crewai_runner.features.insights.router import workflow_list
from crewai_runner.features.templates.router import router as templates_router
from crewai_runner.features.workflows.documents import CheckedDocument, check_document
from crewai_runner.features.workflows.router import router as workflows_router
from crewai_runner.features.yaml.router import router as yaml_router
from crewai_runner.http import problems
from crewai_runner.http.middleware import RequestContextMiddleware
from crewai_runner.http.openapi import operation_id
from crewai_runner.http.version_alias import VersionAliasMiddleware
from crewai_runner.wiring.container import Container
from tests.support.container import make_container

BRIEF = """\
# What the morning needs.
name: Daily brief
agents:
  writer:
    role: Writer
    goal: Write a brief
    backstory: Knows the town
tasks:
  brief:
    description: Write about {topic}
    expected_output: Two sentences
    agent: writer
inputs:
  topic: {type: string, default: cats}
"""


def brief(name: str = "Daily brief", goal: str = "Write a brief") -> str:
    """A valid document, with a name and a goal of its own."""
    return BRIEF.replace("name: Daily brief", f"name: {name}").replace("goal: Write a brief", f"goal: {goal}")


def checked(text: str, mask: SecretMask | None = None) -> CheckedDocument:
    return check_document(text, Registry(), mask or SecretMask())


class TokensBySubject:
    """Authenticates as the product does, with a token for each person of a test."""

    def __init__(self, *principals: Principal) -> None:
        self._principals = {principal.subject: principal for principal in principals}

    def authenticate(self, authorization: str | None, client: str) -> Principal:
        token = (authorization or "").removeprefix("Bearer ")
        if token not in self._principals:
            raise InvalidApiKey
        return self._principals[token]


def make_app(container: Container) -> FastAPI:
    app = FastAPI(generate_unique_id_function=operation_id)
    app.state.container, app.state.mask = container, container.mask
    problems.install(app)
    api = APIRouter(prefix="/api/v1", dependencies=[BearerScheme], generate_unique_id_function=operation_id)
    for router in (workflow_list, workflows_router, templates_router, yaml_router):
        api.include_router(router)
    app.include_router(api)
    app.add_middleware(AuthMiddleware, protected=["/api"])
    app.add_middleware(VersionAliasMiddleware, prefix="/api")
    app.add_middleware(RequestContextMiddleware)
    return app


@pytest.fixture
def container(
    database_url: str, tmp_path: Path, sessions: Sessions, principal: Principal, stranger: Principal
) -> Container:
    reader = Principal("reader", principal.workspace_id, frozenset({Scope.WORKFLOWS_READ}))
    return make_container(database_url, tmp_path, sessions, TokensBySubject(principal, stranger, reader))


@pytest.fixture
async def client(container: Container, principal: Principal) -> AsyncIterator[httpx.AsyncClient]:
    """Speaks for the owner; send other headers to be somebody else."""
    transport = httpx.ASGITransport(make_app(container), raise_app_exceptions=False)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://test/api/v1", headers=speaking_as(principal.subject)
    ) as opened:
        yield opened


def speaking_as(subject: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {subject}"}


ANONYMOUS = {"Authorization": ""}
STRANGER = speaking_as("stranger")
READER = speaking_as("reader")
