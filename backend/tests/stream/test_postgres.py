"""The PostgreSQL notifier: the contract, lost connections, batching and payload sizes."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crewai_runner.stream import postgres as postgres_module
from crewai_runner.stream.notifier import Chunk, Notifier
from crewai_runner.stream.postgres import MAX_PAYLOAD_BYTES, PostgresNotifier, connection_string, pack
from tests.stream.contract import NotifierContract, receive_chunks, wait_until
from tests.support.database import empty_postgresql

LONGER_THAN_UPTIME_SECONDS = 1e9
"""Longer than any machine's uptime, so that a monotonic clock that starts at boot makes no difference."""


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    with empty_postgresql() as url:
        yield url


@asynccontextmanager
async def started(database: str) -> AsyncIterator[PostgresNotifier]:
    notifier = PostgresNotifier(database)
    await notifier.start()
    with notifier.subscribe("a") as subscription:
        subscription.changed.clear()
        await asyncio.wait_for(subscription.changed.wait(), 10)  # set when LISTEN has started
    try:
        yield notifier
    finally:
        await notifier.stop()


@pytest.fixture
async def near(database: str) -> AsyncIterator[Notifier]:
    async with started(database) as notifier:
        yield notifier


@pytest.fixture
async def far(database: str) -> AsyncIterator[Notifier]:
    async with started(database) as notifier:
        yield notifier


class TestPostgresNotifier(NotifierContract):
    """Two notifiers on one database stand for two processes."""


def cut_connections(database: str, query_pattern: str) -> None:
    with psycopg.connect(connection_string(database), autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE %s",
            (query_pattern,),
        )


async def test_listener_reconnects_and_notifies_its_subscribers(
    near: Notifier, far: Notifier, database: str
) -> None:
    with far.subscribe("a") as remote:
        remote.changed.clear()

        await asyncio.to_thread(cut_connections, database, "%LISTEN%")

        await wait_until(remote.changed.is_set)
        near.publish_ephemeral("a", Chunk(1, "x"))
        assert await receive_chunks(remote, 1) == [Chunk(1, "x")]


async def test_first_notifications_after_a_pause_are_sent_at_once(
    database: str, far: Notifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_module, "BATCH_SECONDS", LONGER_THAN_UPTIME_SECONDS)
    async with started(database) as near:
        with far.subscribe("a") as remote:
            for _ in range(postgres_module.MAX_BURST):
                remote.changed.clear()
                near.publish(["a"])
                await wait_until(remote.changed.is_set)

            remote.changed.clear()
            near.publish(["a"])
            await asyncio.sleep(0.3)
            assert not remote.changed.is_set()


async def test_topics_are_kept_while_disconnected(
    far: Notifier, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_module, "BATCH_SECONDS", 0.3)
    monkeypatch.setattr(postgres_module, "MAX_BURST", 1)
    async with started(database) as near:
        with far.subscribe("first") as first:
            near.publish(["first"])
            await wait_until(first.changed.is_set)
        with far.subscribe("a") as remote:
            remote.changed.clear()
            near.publish(["a"])
            await asyncio.to_thread(cut_connections, database, "%pg_notify%")

            await wait_until(remote.changed.is_set)


async def test_stop_sends_pending_topics(far: Notifier, database: str) -> None:
    async with started(database) as stopping:
        with far.subscribe("a") as remote:
            remote.changed.clear()
            stopping.publish(["a"])
            await stopping.stop()

            await wait_until(remote.changed.is_set)


@given(
    topics=st.lists(st.text(max_size=200), max_size=80),
    chunks=st.lists(st.tuples(st.text(max_size=50), st.integers(0), st.text(max_size=9000)), max_size=20),
)
def test_payloads_respect_the_limit_and_lose_only_oversized_chunks(
    topics: list[str], chunks: list[tuple[str, int, str]]
) -> None:
    payloads = list(pack("me", topics, [(topic, Chunk(after, text)) for topic, after, text in chunks]))

    messages = [json.loads(payload) for payload in payloads]
    assert all(len(payload.encode()) <= MAX_PAYLOAD_BYTES for payload in payloads)
    assert [topic for message in messages for topic in message["topics"]] == topics
    short = [entry for entry in chunks if len(json.dumps(entry)) < 7000]
    packed = [tuple(entry) for message in messages for entry in message["chunks"]]
    assert [entry for entry in packed if entry in short] == short
    assert all(entry in chunks for entry in packed)


def test_connection_string_drops_the_sqlalchemy_driver() -> None:
    url = connection_string("postgresql+psycopg://me:secret@db:5433/crews?sslmode=require")

    assert url.startswith("postgresql://me:secret@db:5433/crews?")
    assert "sslmode=require" in url


class TestMalformedNotification:
    @pytest.mark.parametrize(
        "payload",
        ["", "not JSON", "[]", "null", '{"from": 1}', '{"from": "x", "topics": [], "chunks": [1]}'],
    )
    async def test_does_not_end_live_text(
        self, near: PostgresNotifier, far: PostgresNotifier, database: str, payload: str
    ) -> None:
        with far.subscribe("run") as subscription:
            with psycopg.connect(connection_string(database), autocommit=True) as connection:
                connection.execute("SELECT pg_notify(%s, %s)", (postgres_module.CHANNEL, payload))

            near.publish_ephemeral("run", Chunk(1, "text"))

            assert await receive_chunks(subscription, 1) == [Chunk(1, "text")]

    async def test_unexpected_error_restarts_the_listener(
        self, near: PostgresNotifier, far: PostgresNotifier, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        original, errors = far._receive, [RuntimeError("a bug")]

        def receive(payload: str) -> None:
            if errors:
                raise errors.pop()
            original(payload)

        monkeypatch.setattr(far, "_receive", receive)
        monkeypatch.setattr(postgres_module, "RETRY_SECONDS", 0.01)
        with far.subscribe("run") as subscription:
            near.publish(["run"])
            await wait_until(lambda: not errors)
            subscription.changed.clear()
            await asyncio.wait_for(subscription.changed.wait(), 10)  # the listener is connected again

            near.publish_ephemeral("run", Chunk(2, "text"))

            assert await receive_chunks(subscription, 1) == [Chunk(2, "text")]
