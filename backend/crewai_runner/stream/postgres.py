"""The bell between processes: LISTEN and NOTIFY of the PostgreSQL that holds the rows."""

import asyncio
import json
import math
import uuid
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Any

from psycopg import AsyncConnection, Error
from sqlalchemy.engine import make_url

from crewai_runner.core.logging import get_logger
from crewai_runner.core.waiting import happens
from crewai_runner.stream.hub import Chunk, Listener, MemoryHub

log = get_logger(__name__)
CHANNEL = "crewai_runner_bell"
GATHER_SECONDS = 0.02
MAX_PAYLOAD_BYTES = 7900
"""PostgreSQL refuses a payload of 8000 bytes or more."""
PROOF_OF_LIFE_SECONDS = 15.0
RETRY_SECONDS = 0.5
LAST_WORDS_SECONDS = 1.0

Said = tuple[str, Chunk]


class PostgresHub:
    """Rings here at once and in every other process on the same database within some 20 ms.

    One notification carries what was rung in the 20 ms after the last: the commit of a NOTIFY takes a
    lock on the whole database, so one for each event would hold everybody up. While the database is away
    rings are kept and live text is dropped; whoever listens again after an outage wakes all its readers.
    """

    def __init__(self, database_url: str) -> None:
        self._address = connection_string(database_url)
        self._me = uuid.uuid4().hex
        self._near = MemoryHub()
        self._topics: set[str] = set()
        self._said: list[Said] = []
        self._due, self._quiet = asyncio.Event(), asyncio.Event()
        self._quiet.set()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin to send and to listen; a database that is away is tried again and again."""
        jobs = {"bell-send": self._send, "bell-listen": self._listen}
        self._tasks = [asyncio.create_task(self._for_ever(job), name=name) for name, job in jobs.items()]

    async def stop(self) -> None:
        """Say what is still to be said, then leave."""
        await happens(self._quiet, LAST_WORDS_SECONDS)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    def ring(self, topics: Iterable[str]) -> None:
        rung = set(topics)
        self._near.ring(rung)
        self._topics |= rung
        if rung:
            self._wake_sender()

    def whisper(self, topic: str, chunk: Chunk) -> None:
        self._near.whisper(topic, chunk)
        self._said.append((topic, chunk))
        self._wake_sender()

    def _wake_sender(self) -> None:
        self._quiet.clear()
        self._due.set()

    def listening(self, topic: str) -> AbstractContextManager[Listener]:
        return self._near.listening(topic)

    def readers(self) -> int:
        return self._near.readers()

    async def _for_ever(self, job: Callable[[AsyncConnection], Coroutine[Any, Any, None]]) -> None:
        while True:
            try:
                connection = await AsyncConnection.connect(self._address, autocommit=True)
                async with connection:
                    await job(connection)
            except (Error, OSError) as error:
                log.warning("bell.lost", job=job.__name__, error=type(error).__name__)
                self._said.clear()
            await asyncio.sleep(RETRY_SECONDS)

    async def _send(self, connection: AsyncConnection) -> None:
        if self._topics:  # kept through an outage
            self._due.set()
        loop, sent = asyncio.get_running_loop(), -math.inf
        while True:
            await self._due.wait()
            # The first ring after a silence goes at once; only what follows closely is gathered.
            await asyncio.sleep(sent + GATHER_SECONDS - loop.time())
            self._due.clear()
            sent = loop.time()
            topics, said = sorted(self._topics), self._said
            self._said = []
            payloads = list(pack(self._me, topics, said))
            await connection.execute(
                "SELECT pg_notify(%s, payload) FROM unnest(%s::text[]) AS payload", (CHANNEL, payloads)
            )
            self._topics.difference_update(topics)
            if not self._due.is_set():
                self._quiet.set()

    async def _listen(self, connection: AsyncConnection) -> None:
        await connection.execute(f"LISTEN {CHANNEL}")
        self._near.ring_all()  # what was rung while nobody listened
        while True:
            async for notice in connection.notifies(timeout=PROOF_OF_LIFE_SECONDS):
                self._hear(notice.payload)
            await connection.execute("SELECT 1")

    def _hear(self, payload: str) -> None:
        told = json.loads(payload)
        if told["from"] == self._me:
            return
        for topic, after, text in told["said"]:
            self._near.whisper(topic, Chunk(after, text))
        self._near.ring(told["rung"])


def pack(sender: str, topics: Iterable[str], said: Iterable[Said]) -> Iterator[str]:
    """Payloads that fit; live text before the bells of the events that follow it.

    A piece of live text that fits into none is left out: it is stored with its call's end.
    """
    rung: list[str] = []
    spoken: list[list[Any]] = []
    size = empty = len(_payload(sender, [], [])) + 8
    entries: list[tuple[list[Any], Any]] = [(spoken, [topic, one.after, one.text]) for topic, one in said]
    entries += [(rung, topic) for topic in topics]
    for place, entry in entries:
        needed = len(json.dumps(entry)) + 2
        if empty + needed > MAX_PAYLOAD_BYTES:
            continue
        if size + needed > MAX_PAYLOAD_BYTES:
            yield _payload(sender, rung, spoken)
            rung.clear()
            spoken.clear()
            size = empty
        place.append(entry)
        size += needed
    if rung or spoken:
        yield _payload(sender, rung, spoken)


def _payload(sender: str, rung: list[str], said: list[list[Any]]) -> str:
    return json.dumps({"from": sender, "rung": rung, "said": said})


def connection_string(database_url: str) -> str:
    """The same database for psycopg itself, with a connection that notices a dead peer."""
    url = make_url(database_url).set(drivername="postgresql")
    alive = {
        "connect_timeout": "5",
        "keepalives_idle": "10",
        "keepalives_interval": "5",
        "keepalives_count": "3",
    }
    return url.update_query_dict({**alive, **url.query}).render_as_string(hide_password=False)
