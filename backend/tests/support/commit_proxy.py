"""A TCP proxy in front of PostgreSQL that loses the answers of chosen commits.

    async with open_commit_proxy(database_url) as proxy:
        engine = make_engine(proxy.url)
        proxy.cut(3)

The server has executed a commit that is cut; its client sees a closed connection instead of an answer.
Statements in autocommit mode are commits too. Transactions that wrote nothing are neither counted nor cut.
"""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from psycopg.conninfo import conninfo_to_dict
from sqlalchemy.engine import make_url

# Types of messages, https://www.postgresql.org/docs/current/protocol-message-formats.html
_QUERY, _PARSE, _BIND = b"Q", b"P", b"B"
_COMMAND_COMPLETE, _READY = b"C", b"Z"
_IDLE = b"I"
"""The status of a session that is in no transaction."""
_WRITE = re.compile(rb"\b(INSERT INTO|UPDATE \S+ SET|DELETE FROM)\b")
_NO_ROWS = re.compile(rb"(INSERT 0|UPDATE|DELETE) 0")


@dataclass(slots=True)
class _Session:
    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    prepared: dict[bytes, bytes] = field(default_factory=dict)
    """Its prepared statements by their names."""
    executing: bytes = b""
    writes: list[bytes] = field(default_factory=list)
    """The statements of the current transaction that changed rows."""

    def note_request(self, message: bytes) -> None:
        body = message[5:]
        if message.startswith(_PARSE):
            name, sql, _ = body.split(b"\0", 2)
            self.prepared[name] = sql
        elif message.startswith(_BIND):
            self.executing = self.prepared[body.split(b"\0", 2)[1]]
        elif message.startswith(_QUERY):
            self.executing = body

    def note_completion(self, message: bytes) -> None:
        if _WRITE.search(self.executing) and not _NO_ROWS.fullmatch(message[5:-1]):
            self.writes.append(self.executing)


class CommitProxy:
    """Counts the commits that pass through. Without TLS."""

    def __init__(self, database_url: str) -> None:
        self._database_url = database_url
        self._cuts: Collection[int] = ()
        self._text = ""
        self._sessions: set[asyncio.Task[None]] = set()
        self._port = 0
        self.commits = 0
        """The number of commits since the last call of `cut`."""

    @property
    def url(self) -> str:
        """The URL of the same database through the proxy."""
        url = make_url(self._database_url).difference_update_query(["host"])
        through = url.set(host="127.0.0.1", port=self._port)
        options = {"sslmode": "disable", "gssencmode": "disable"}
        return through.update_query_dict(options).render_as_string(hide_password=False)

    def cut(self, *numbers: int, text: str = "") -> None:
        """Count from here, and lose the answers of the commits with these numbers, from 1.

        With `text`, only transactions with a writing statement that contains it count.
        """
        self.commits = 0
        self._cuts, self._text = numbers, text

    def keep_answers(self) -> None:
        """Lose no more answers."""
        self._cuts = ()

    async def start(self) -> asyncio.Server:
        server = await asyncio.start_server(self._accept, "127.0.0.1")
        self._port = server.sockets[0].getsockname()[1]
        return server

    async def close_sessions(self) -> None:
        sessions = list(self._sessions)
        for session in sessions:
            session.cancel()
        await asyncio.gather(*sessions, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._sessions.add(task)
        task.add_done_callback(self._sessions.discard)
        with contextlib.suppress(OSError, asyncio.CancelledError):
            server_reader, server_writer = await self._connect()
            session = _Session(writer, server_writer)
            pumps = {
                asyncio.create_task(_pump_requests(reader, session)),
                asyncio.create_task(self._pump_answers(server_reader, session)),
            }
            try:
                await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for pump in pumps:
                    pump.cancel()
                server_writer.close()
                await asyncio.gather(*pumps, return_exceptions=True)
        writer.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        given = conninfo_to_dict(self._database_url)
        host, port = str(given["host"]), int(str(given.get("port") or 5432))
        if host.startswith("/"):
            return await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
        return await asyncio.open_connection(host, port)

    async def _pump_answers(self, reader: asyncio.StreamReader, session: _Session) -> None:
        completion = b""  # held back until it is known whether the client may see it
        while True:
            message = await _read_message(reader)
            if message.startswith(_COMMAND_COMPLETE):
                session.note_completion(message)
                session.client.write(completion)
                completion = message
                continue
            if message.startswith(_READY) and message.endswith(_IDLE) and self._is_cut(session):
                return
            session.client.write(completion + message)
            completion = b""
            await session.client.drain()

    def _is_cut(self, session: _Session) -> bool:
        """Count the transaction that has ended, if it counts; return whether its answer is lost."""
        counts = any(self._text.encode() in statement for statement in session.writes)
        session.writes.clear()
        self.commits += counts
        return counts and self.commits in self._cuts


async def _pump_requests(reader: asyncio.StreamReader, session: _Session) -> None:
    # The first message, which starts the session, has no type.
    session.server.write(await _read_message(reader, type_length=0))
    while True:
        message = await _read_message(reader)
        session.note_request(message)
        session.server.write(message)
        await session.server.drain()


async def _read_message(reader: asyncio.StreamReader, type_length: int = 1) -> bytes:
    """Return the next message: an optional type, the length of the rest in four bytes, the rest."""
    head = await reader.readexactly(type_length + 4)
    return head + await reader.readexactly(int.from_bytes(head[type_length:]) - 4)


@asynccontextmanager
async def open_commit_proxy(database_url: str) -> AsyncIterator[CommitProxy]:
    """Serve a proxy in the running event loop."""
    proxy = CommitProxy(database_url)
    server = await proxy.start()
    try:
        yield proxy
    finally:
        server.close()
        await proxy.close_sessions()
