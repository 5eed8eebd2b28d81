"""Tests connections, stage by stage. No database connection is held while waiting for a service."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.core.keyring import secret_parts
from crewai_runner.core.principal import Principal
from crewai_runner.core.secret_mask import TextMask
from crewai_runner.db.session import Sessions, read_session
from crewai_runner.domain.connection import CONNECTION_TITLES, ConnectionPurpose, get_purpose
from crewai_runner.executor.tools.http_auth import authorize
from crewai_runner.executor.tools.http_exchange import CredentialsRejected, ServiceRequest, exchange
from crewai_runner.executor.tools.post_message import send_message
from crewai_runner.executor.tools.query_sql import describe_database, read_database
from crewai_runner.executor.tools.runner import ToolCallFailed
from crewai_runner.executor.tools.search.services import SearchQuery
from crewai_runner.executor.tools.search.web_search import search
from crewai_runner.executor.tools.send_email import check_mail_server, read_mail_server
from crewai_runner.features.connections.connection_catalog import check_request
from crewai_runner.features.connections.schemas import (
    ConnectionCreate,
    ConnectionTestReport,
    ConnectionTestStage,
)
from crewai_runner.features.connections.service import ConnectionDeps, ConnectionService, UsableConnection

LIMIT_SECONDS = 10.0
TEST_MESSAGE = "Test of a connection from CrewAI Runner. It works."
_MAX_MESSAGE_LENGTH = 500
_STAGES_BY_TRACE_EVENT = {
    "connection.connect_tcp.started": ConnectionTestStage.CONNECT,
    "connection.start_tls.started": ConnectionTestStage.TLS,
    "http11.send_request_headers.started": ConnectionTestStage.AUTH,
    "http11.receive_response_body.started": ConnectionTestStage.ANSWER,
}


@dataclass(slots=True)
class _Progress:
    """The stage that the test has reached, updated by httpx's trace events."""

    started: float = field(default_factory=time.perf_counter)
    stage: ConnectionTestStage = ConnectionTestStage.DNS

    async def on_trace(self, event: str, _details: object) -> None:
        self.stage = _STAGES_BY_TRACE_EVENT.get(event, self.stage)

    @property
    def latency_ms(self) -> int:
        return round((time.perf_counter() - self.started) * 1000)


class ConnectionTester:
    """Tests stored and unsaved connections; each test takes at most `limit_seconds`."""

    def __init__(
        self, sessions: Sessions, deps: ConnectionDeps, *, limit_seconds: float = LIMIT_SECONDS
    ) -> None:
        self._sessions, self._deps, self._limit = sessions, deps, limit_seconds

    async def test_stored(self, principal: Principal, connection_id: str) -> ConnectionTestReport:
        """Test a stored connection. Raises ConnectionNotFound, SecretUnreadable."""
        async with read_session(self._sessions) as session:
            service = ConnectionService(session, self._deps)
            connection = await service.get_usable(principal.workspace_id, connection_id)
        return await self._test(connection)

    async def test_unsaved(self, request: ConnectionCreate) -> ConnectionTestReport:
        """Test a connection without storing it. Raises ConnectionInvalid."""
        await check_request(request, self._deps.egress)
        connection = UsableConnection(
            id="",
            name=request.name,
            kind=request.kind,
            purpose=get_purpose(request.kind),
            base_url=request.base_url,
            options=request.options,
            secret=request.secret,
        )
        return await self._test(connection)

    async def _test(self, connection: UsableConnection) -> ConnectionTestReport:
        progress, mask = _Progress(), TextMask(secret_parts(connection.secret))
        try:
            async with asyncio.timeout(self._limit):
                message = await _use(connection, self._deps.egress, progress)
            progress.stage = ConnectionTestStage.DONE
        except CredentialsRejected as error:
            progress.stage, message = ConnectionTestStage.AUTH, str(error)
        except ToolCallFailed as error:
            message = str(error)
        except TimeoutError:
            title = CONNECTION_TITLES[connection.kind]
            message = f"{title} did not answer within {self._limit:g} seconds."
        return ConnectionTestReport(
            ok=progress.stage is ConnectionTestStage.DONE,
            stage=progress.stage,
            latency_ms=progress.latency_ms,
            message=mask(message)[:_MAX_MESSAGE_LENGTH],
        )


async def _use(connection: UsableConnection, egress: EgressPolicy, progress: _Progress) -> str:
    """Do what the connection's tool does, and say what came of it. Raises ToolCallFailed."""
    kind, trace = connection.kind, progress.on_trace
    secret = "" if connection.secret is None else connection.secret.get_secret_value()
    match connection.purpose:
        case ConnectionPurpose.SEARCH:
            query = SearchQuery("CrewAI", 1)
            found = await search(kind, connection.base_url, secret, query, egress, trace)
            return (
                f"Connected: a search found “{found[0].title}”." if found else "Connected; nothing was found."
            )
        case ConnectionPurpose.MESSAGES:
            await send_message(kind, secret, TEST_MESSAGE, egress, trace)
            return "Connected: a test message was posted."
        case ConnectionPurpose.HTTP:
            return await _ask_host(connection, secret, egress, progress)
        case ConnectionPurpose.DATABASE:
            progress.stage = ConnectionTestStage.CONNECT
            username, tls = connection.options.username, connection.options.tls
            database = read_database(connection.name, connection.base_url or "", username, secret, tls)
            version = await describe_database(database, egress)
            return f"Connected: PostgreSQL {version}, with a user who cannot reach the server's files."
        case ConnectionPurpose.EMAIL:
            progress.stage = ConnectionTestStage.CONNECT
            options, url = _describe(connection), connection.base_url or ""
            await check_mail_server(read_mail_server(connection.name, url, options, secret), egress)
            return "Connected: the mail server accepts the user. No email was sent."


def _describe(connection: UsableConnection) -> dict[str, Any]:
    return connection.options.model_dump(mode="json", by_alias=False)


async def _ask_host(
    connection: UsableConnection, secret: str, egress: EgressPolicy, progress: _Progress
) -> str:
    headers = await authorize(connection.name, _describe(connection), secret, egress)
    request = ServiceRequest(connection.name, "GET", connection.base_url or "", headers)
    answer = await exchange(request, egress, progress.on_trace)
    if answer.status in (401, 403):
        raise CredentialsRejected(
            f"{connection.name} rejected the credentials of the connection (HTTP {answer.status})."
        )
    return f"Connected: the address answers with HTTP {answer.status}."
