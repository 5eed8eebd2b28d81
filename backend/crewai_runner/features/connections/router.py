"""API endpoints of connections."""

from http import HTTPStatus

from fastapi import Response

from crewai_runner.core.encryption import SecretUnreadable
from crewai_runner.core.errors import BadRequest, StaleVersion
from crewai_runner.features.connections.deps import (
    ConnectionsToRead,
    ConnectionsToWrite,
    Reader,
    RequireWriter,
    Tester,
    Writer,
)
from crewai_runner.features.connections.errors import (
    ConnectionInvalid,
    ConnectionNameTaken,
    ConnectionNotFound,
    SecretNeededAgain,
)
from crewai_runner.features.connections.schemas import (
    ConnectionAnswer,
    ConnectionEnvelope,
    ConnectionList,
    ConnectionRead,
    ConnectionTestReport,
    ConnectionUpdateEnvelope,
)
from crewai_runner.features.idempotency.deps import IdempotencyKey
from crewai_runner.features.idempotency.errors import IdempotencyKeyReused
from crewai_runner.http.deps import LIMIT, Conditional, Cursor, IfMatch, Limit, set_etag
from crewai_runner.http.prefixed_router import PrefixedRouter
from crewai_runner.http.problems import problems

router = PrefixedRouter(prefix="/connections", tags=["connections"])


@router.get("", responses=problems(BadRequest))
async def list_connections(
    principal: Reader, connections: ConnectionsToRead, limit: Limit = LIMIT, cursor: Cursor = None
) -> ConnectionList:
    """List the connections of tools to services and hosts, oldest first. Secrets are never returned."""
    return await connections.list_page(principal, limit, cursor)


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    responses=problems(ConnectionNameTaken, IdempotencyKeyReused, ConnectionInvalid),
)
async def create_connection(
    body: ConnectionEnvelope,
    principal: Writer,
    connections: ConnectionsToWrite,
    response: Response,
    idempotency_key: IdempotencyKey = None,
) -> ConnectionAnswer:
    """Create a connection. Its secret is stored encrypted and never returned.

    The body may also be the connection itself, without the enclosing `connection` member. Nothing is
    contacted; test it with `POST /connections/{id}/test`.
    """
    answer = await connections.create(principal, body.connection, idempotency_key)
    set_etag(response, answer.connection.version)
    return answer


@router.post("/test", dependencies=[RequireWriter], responses=problems(ConnectionInvalid))
async def test_unsaved_connection(body: ConnectionEnvelope, tester: Tester) -> ConnectionTestReport:
    """Test a connection without saving it. Takes at most 10 seconds; failures are reported with status 200.

    What a test does: see `POST /connections/{id}/test`.
    """
    return await tester.test_unsaved(body.connection)


@router.get("/{connection_id}", dependencies=[Conditional], responses=problems(ConnectionNotFound))
async def get_connection(
    connection_id: str, principal: Reader, connections: ConnectionsToRead, response: Response
) -> ConnectionRead:
    """Get one connection; its version is in the ETag."""
    connection = await connections.get(principal, connection_id)
    set_etag(response, connection.version)
    return connection


@router.patch(
    "/{connection_id}",
    responses=problems(
        BadRequest,
        ConnectionNotFound,
        ConnectionNameTaken,
        StaleVersion,
        ConnectionInvalid,
        SecretNeededAgain,
    ),
)
async def update_connection(
    connection_id: str,
    body: ConnectionUpdateEnvelope,
    principal: Writer,
    connections: ConnectionsToWrite,
    response: Response,
    expected: IfMatch,
) -> ConnectionRead:
    """Change the fields that are sent. `secret: null` removes the secret.

    A stored secret is never sent to a new address: when the host of `baseUrl` changes, send `secret` again.
    """
    connection = await connections.update(principal, connection_id, body.connection, expected)
    set_etag(response, connection.version)
    return connection


@router.delete(
    "/{connection_id}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=problems(BadRequest, ConnectionNotFound, StaleVersion),
)
async def delete_connection(
    connection_id: str, principal: Writer, connections: ConnectionsToWrite, expected: IfMatch
) -> None:
    """Delete a connection and its secret. Runs whose tools need it can then not be started."""
    await connections.delete(principal, connection_id, expected)


@router.post("/{connection_id}/test", responses=problems(ConnectionNotFound, SecretUnreadable))
async def test_connection(connection_id: str, principal: Writer, tester: Tester) -> ConnectionTestReport:
    """Test a connection with its stored secret, in at most 10 seconds; failures are reported with status 200.

    A search service is asked for one result, a host with GET, and to a channel a test message is posted.
    `stage` is the last stage: name resolution, connection, TLS, authentication, answer.
    """
    return await tester.test_stored(principal, connection_id)
