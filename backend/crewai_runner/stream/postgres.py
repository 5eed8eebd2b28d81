"""Notifications between processes with PostgreSQL's LISTEN and NOTIFY."""

import asyncio
import json
import uuid
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Any

from psycopg import AsyncConnection, Error
from pydantic import BaseModel, Field, ValidationError
from sqlalchemy.engine import make_url

from crewai_runner.core.logging import get_logger
from crewai_runner.core.waiting import wait_event
from crewai_runner.stream.notifier import Chunk, MemoryNotifier, Subscriber, Subscription
from crewai_runner.stream.send_pace import SendPace

log = get_logger(__name__)
CHANNEL = "crewai_runner_notifications"
BATCH_SECONDS = 0.005
MAX_BURST = 5
"""How many notifications may be sent at once after a pause: text follows its event without a wait."""
MAX_PAYLOAD_BYTES = 7900
"""PostgreSQL refuses a payload of 8000 bytes or more."""
KEEPALIVE_SECONDS = 15.0
RETRY_SECONDS = 0.5
CLOSE_TIMEOUT_SECONDS = 1.0

TopicChunk = tuple[str, Chunk]


class Notification(BaseModel):
    """What one NOTIFY carries; any client of the database can send something else."""

    sender: str = Field(alias="from")
    topics: list[str]
    chunks: list[tuple[str, int, str]]


class PostgresNotifier:
    """Publishes in this process at once and to every other process on the database within milliseconds.

    What is published after a pause is sent at once. In the long run there is one NOTIFY per 5 ms, because
    its commit takes a lock on the whole database and wakes every process. While the database is unreachable,
    topics are kept and live chunks are dropped; after a reconnect every subscriber of this process is
    notified.
    """

    def __init__(self, database_url: str) -> None:
        self._connection_string = connection_string(database_url)
        self._sender_id = uuid.uuid4().hex
        self._local = MemoryNotifier()
        self._topics: set[str] = set()
        self._chunks: list[TopicChunk] = []
        self._pending, self._idle = asyncio.Event(), asyncio.Event()
        self._idle.set()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Start sending and listening; connects in the background and retries until it succeeds."""
        jobs = {"notify-send": self._send, "notify-listen": self._listen}
        self._tasks = [asyncio.create_task(self._run_forever(job), name=name) for name, job in jobs.items()]

    async def stop(self) -> None:
        """Send what is pending, then disconnect."""
        await wait_event(self._idle, CLOSE_TIMEOUT_SECONDS)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    def publish(self, topics: Iterable[str]) -> None:
        published = set(topics)
        self._local.publish(published)
        self._topics |= published
        if published:
            self._wake_sender()

    def publish_ephemeral(self, topic: str, chunk: Chunk) -> None:
        self._local.publish_ephemeral(topic, chunk)
        self._chunks.append((topic, chunk))
        self._wake_sender()

    def _wake_sender(self) -> None:
        self._idle.clear()
        self._pending.set()

    def subscribe(self, topic: str) -> AbstractContextManager[Subscription]:
        return self._local.subscribe(topic)

    def attach(self, topic: str, subscriber: Subscriber) -> None:
        self._local.attach(topic, subscriber)

    def detach(self, topic: str, subscriber: Subscriber) -> None:
        self._local.detach(topic, subscriber)

    def listen(self, topic: str, listener: Callable[[], None]) -> None:
        self._local.listen(topic, listener)

    def subscriber_count(self) -> int:
        return self._local.subscriber_count()

    async def _run_forever(self, job: Callable[[AsyncConnection], Coroutine[Any, Any, None]]) -> None:
        while True:
            try:
                connection = await AsyncConnection.connect(self._connection_string, autocommit=True)
                async with connection:
                    await job(connection)
            except (Error, OSError) as error:
                log.warning("notifier.connection_lost", job=job.__name__, error=type(error).__name__)
                self._chunks.clear()
            except Exception:
                log.exception("notifier.restarted", job=job.__name__)
                self._chunks.clear()
            await asyncio.sleep(RETRY_SECONDS)

    async def _send(self, connection: AsyncConnection) -> None:
        await connection.execute("SET synchronous_commit TO off")  # a notification need not survive a crash
        if self._topics:  # kept from before a reconnect
            self._pending.set()
        loop, pace = asyncio.get_running_loop(), SendPace(BATCH_SECONDS, MAX_BURST)
        while True:
            await self._pending.wait()
            await asyncio.sleep(pace.wait_seconds(loop.time()))
            self._pending.clear()
            pace.note_sent(loop.time())
            topics, chunks = sorted(self._topics), self._chunks
            self._chunks = []
            payloads = list(pack(self._sender_id, topics, chunks))
            await connection.execute(
                "SELECT pg_notify(%s, payload) FROM unnest(%s::text[]) AS payload", (CHANNEL, payloads)
            )
            self._topics.difference_update(topics)
            if not self._pending.is_set():
                self._idle.set()

    async def _listen(self, connection: AsyncConnection) -> None:
        await connection.execute(f"LISTEN {CHANNEL}")
        self._local.notify_all()  # something may have been published while disconnected
        while True:
            async for notification in connection.notifies(timeout=KEEPALIVE_SECONDS):
                self._receive(notification.payload)
            await connection.execute("SELECT 1")

    def _receive(self, payload: str) -> None:
        """Publish a notification in this process; ignore one that this product did not send."""
        try:
            message = Notification.model_validate_json(payload)
        except ValidationError:
            log.warning("notifier.malformed_notification", bytes=len(payload))
            return
        if message.sender == self._sender_id:
            return
        for topic, after, text in message.chunks:
            self._local.publish_ephemeral(topic, Chunk(after, text))
        self._local.publish_received(message.topics)


def pack(sender_id: str, topics: Iterable[str], chunks: Iterable[TopicChunk]) -> Iterator[str]:
    """Yield payloads under the size limit; chunks come before the topics of the events that follow them.

    A chunk too long for one payload is dropped: its text is stored when the model call ends.
    """
    packed_topics: list[str] = []
    packed_chunks: list[list[Any]] = []
    size = empty_size = len(_build_payload(sender_id, [], [])) + 8
    entries: list[tuple[list[Any], Any]] = [(packed_chunks, [topic, c.after, c.text]) for topic, c in chunks]
    entries += [(packed_topics, topic) for topic in topics]
    for target, entry in entries:
        entry_size = len(json.dumps(entry)) + 2
        if empty_size + entry_size > MAX_PAYLOAD_BYTES:
            continue
        if size + entry_size > MAX_PAYLOAD_BYTES:
            yield _build_payload(sender_id, packed_topics, packed_chunks)
            packed_topics.clear()
            packed_chunks.clear()
            size = empty_size
        target.append(entry)
        size += entry_size
    if packed_topics or packed_chunks:
        yield _build_payload(sender_id, packed_topics, packed_chunks)


def _build_payload(sender_id: str, topics: list[str], chunks: list[list[Any]]) -> str:
    return json.dumps({"from": sender_id, "topics": topics, "chunks": chunks})


def connection_string(database_url: str) -> str:
    """Return the URL as a psycopg connection string, with TCP keepalives that detect a dead peer."""
    url = make_url(database_url).set(drivername="postgresql")
    keepalives = {
        "connect_timeout": "5",
        "keepalives_idle": "10",
        "keepalives_interval": "5",
        "keepalives_count": "3",
    }
    return url.update_query_dict({**keepalives, **url.query}).render_as_string(hide_password=False)
