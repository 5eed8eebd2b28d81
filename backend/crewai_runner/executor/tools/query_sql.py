"""The tool `query_sql`: reads a PostgreSQL database by a connection.

What keeps a query from writing: the server's own parser, which declares a cursor for nothing but one SELECT
or VALUES without data-changing parts; a read-only transaction that is always rolled back; and a user who may
neither read the files of the server nor start its programs, as those rights hold in such transactions too.
"""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import certifi
import httpx
import psycopg

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.core.url_validation import UrlRefused, get_port
from crewai_runner.domain.connection import ConnectionTls
from crewai_runner.executor.tool_binding import ToolBinding
from crewai_runner.executor.tools.connections import choose_connection
from crewai_runner.executor.tools.guarded_relay import GuardedRelay, open_relay
from crewai_runner.executor.tools.http_exchange import CredentialsRejected
from crewai_runner.executor.tools.runner import ToolCallFailed, ToolContext

T = TypeVar("T")
DEFAULT_ROWS = 100
STATEMENT_SECONDS = 20
MAX_RECEIVED = 8_000_000
MAX_CELL_CHARACTERS = 2_000
MAX_TEXT_LENGTH = 20_000
_CANCEL_SECONDS = 0.5
_SSL_MODES = {
    ConnectionTls.VERIFY: "verify-full",
    ConnectionTls.ENCRYPT: "require",
    ConnectionTls.OFF: "disable",
}
_SETTINGS = (
    f"SELECT set_config('statement_timeout', '{STATEMENT_SECONDS}s', true), "
    "set_config('lock_timeout', '5s', true), set_config('client_connection_check_interval', '1s', true)"
)
_DANGEROUS_ROLES = """\
SELECT rolname FROM pg_catalog.pg_roles
WHERE (rolsuper OR rolname IN ('pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program'))
AND pg_catalog.pg_has_role(session_user, oid, 'MEMBER') LIMIT 1"""


@dataclass(frozen=True, slots=True)
class Database:
    """A PostgreSQL database, by the settings of its connection."""

    name: str
    url: httpx.URL
    username: str
    password: str
    tls: ConnectionTls


@dataclass(frozen=True, slots=True)
class Rows:
    columns: list[str]
    rows: list[list[str | None]]
    has_more: bool


async def query_sql(binding: ToolBinding, arguments: dict[str, Any], context: ToolContext) -> str:
    """Return the columns and rows as one JSON array a line."""
    name, config, password = choose_connection(binding, arguments.get("connection"))
    database = read_database(name, config["base_url"], config["username"], password, config["tls"])
    max_rows = int(arguments.get("max_rows") or DEFAULT_ROWS)
    query = str(arguments["query"]).strip().removesuffix(";")

    async def read(connection: psycopg.AsyncConnection[Any]) -> Rows:
        # With results in binary form the statement is prepared, so the server accepts one only.
        await connection.execute(f"DECLARE read_rows NO SCROLL CURSOR FOR {query}".encode(), binary=True)
        return _read_rows(await connection.execute(f"FETCH {max_rows + 1} FROM read_rows".encode()), max_rows)

    return _format(await use_database(database, context.egress.connections, read))


async def describe_database(database: Database, egress: EgressPolicy) -> str:
    """Connect, and say which version answers. Raises ToolCallFailed."""

    async def ask(connection: psycopg.AsyncConnection[Any]) -> str:
        return str(connection.info.parameter_status("server_version"))

    return await use_database(database, egress, ask)


def read_database(name: str, base_url: str, username: str | None, password: str, tls: str) -> Database:
    """Return the database of a connection of kind `postgresql`."""
    return Database(name, httpx.URL(base_url), username or "", password, ConnectionTls(tls))


async def use_database(
    database: Database, egress: EgressPolicy, use: Callable[[psycopg.AsyncConnection[Any]], Awaitable[T]]
) -> T:
    """Call `use` in a read-only transaction that is rolled back. Raises ToolCallFailed."""
    host, port = database.url.raw_host.decode("ascii").strip("[]"), get_port(database.url)
    try:
        async with open_relay(egress, host, port, MAX_RECEIVED) as relay:
            try:
                return await _cut_when_cancelled(relay, _use(database, host, relay.port, use))
            except psycopg.Error as error:
                raise _describe(database.name, error, relay.error) from error
    except UrlRefused as error:
        raise ToolCallFailed(error.detail) from error


async def _use(
    database: Database,
    host: str,
    port: int,
    use: Callable[[psycopg.AsyncConnection[Any]], Awaitable[T]],
) -> T:
    connection = await psycopg.AsyncConnection.connect(
        host=host,
        hostaddr="127.0.0.1",
        port=port,
        dbname=database.url.path.lstrip("/"),
        user=database.username,
        password=database.password or None,
        passfile=os.devnull,
        sslmode=_SSL_MODES[database.tls],
        sslrootcert=certifi.where() if database.tls is ConnectionTls.VERIFY else None,
        gssencmode="disable",
        client_encoding="utf8",
        application_name="crewai-runner",
        connect_timeout=10,
        prepare_threshold=None,
    )
    try:
        await connection.set_read_only(True)
        await connection.execute(_SETTINGS)
        await _check_rights(database, connection)
        return await use(connection)
    finally:
        # Closing rolls the transaction back, and drops the locks of the session.
        await connection.close()


async def _check_rights(database: Database, connection: psycopg.AsyncConnection[Any]) -> None:
    role = await (await connection.execute(_DANGEROUS_ROLES)).fetchone()
    if role is not None:
        raise ToolCallFailed(
            f"The user {database.username} of the connection {database.name} has the rights of {role[0]}, "
            "with which a query could read files of the database server or start programs there. Use one "
            "that may only read the tables it needs."
        )


async def _cut_when_cancelled(relay: GuardedRelay, work: Awaitable[T]) -> T:
    """Wait for work; when this is cancelled, give the server a moment to cancel the query."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        task.cancel()
        await asyncio.wait([task], timeout=_CANCEL_SECONDS)
        relay.abort()
        await asyncio.wait([task], timeout=_CANCEL_SECONDS)
        raise


def _read_rows(cursor: psycopg.AsyncCursor[Any], max_rows: int) -> Rows:
    # The texts that the server sent: a value that Python's types cannot hold is shown all the same.
    result = cursor.pgresult
    if result is None:
        return Rows([], [], has_more=False)
    columns = [(result.fname(number) or b"").decode("utf-8", "replace") for number in range(result.nfields)]
    rows = [
        [_read_cell(result.get_value(row, column)) for column in range(result.nfields)]
        for row in range(min(result.ntuples, max_rows))
    ]
    return Rows(columns, rows, has_more=result.ntuples > max_rows)


def _read_cell(value: bytes | None) -> str | None:
    if value is None:
        return None
    text = value.decode("utf-8", "replace")
    return text if len(text) <= MAX_CELL_CHARACTERS else f"{text[:MAX_CELL_CHARACTERS]}…"


def _format(rows: Rows) -> str:
    lines = [json.dumps(rows.columns, ensure_ascii=False)]
    length = 0
    for row in rows.rows:
        line = json.dumps(row, ensure_ascii=False)
        length += len(line)
        if length > MAX_TEXT_LENGTH:
            break
        lines.append(line)
    shown = len(lines) - 1
    if shown < len(rows.rows) or rows.has_more:
        lines.append(f"[{shown} rows are shown; there are more]")
    elif not shown:
        lines.append("[no rows]")
    return "\n".join(lines)


def _describe(name: str, error: psycopg.Error, cause: Exception | None) -> ToolCallFailed:
    if isinstance(error, psycopg.errors.QueryCanceled):
        return ToolCallFailed(f"The query took longer than {STATEMENT_SECONDS} seconds. Ask for less.")
    if cause is not None:
        return ToolCallFailed(f"The database {name} was not reached, or its connection was cut: {cause}.")
    if error.diag.message_primary:
        return ToolCallFailed(f"{name}: {' '.join(_list_messages(error))}")
    text = str(error).rpartition("failed: ")[2].strip()
    kind = CredentialsRejected if "authentication failed" in text else ToolCallFailed
    return kind(f"The database {name} did not accept the connection: {text}")


def _list_messages(error: psycopg.Error) -> Iterator[str]:
    for text in (error.diag.message_primary, error.diag.message_detail, error.diag.message_hint):
        if text:
            yield text if text.endswith(".") else f"{text}."
