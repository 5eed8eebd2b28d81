"""The bell on PostgreSQL: the promises of every bell, and what befalls a connection."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crewai_runner.stream import postgres as postgres_module
from crewai_runner.stream.hub import Chunk, Hub
from crewai_runner.stream.postgres import MAX_PAYLOAD_BYTES, PostgresHub, connection_string, pack
from tests.stream.contract import HubContract, heard, until
from tests.support.database import empty_postgresql

AGES_SECONDS = 1e9
"""Longer than any machine has been up: a clock that began with it must not matter."""


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    with empty_postgresql() as url:
        yield url


async def opened(database: str) -> AsyncIterator[PostgresHub]:
    hub = PostgresHub(database)
    await hub.start()
    with hub.listening("a") as listener:
        listener.bell.clear()
        await asyncio.wait_for(listener.bell.wait(), 10)  # it wakes everybody once it listens
    yield hub
    await hub.stop()


@pytest.fixture
async def near(database: str) -> AsyncIterator[Hub]:
    async for hub in opened(database):
        yield hub


@pytest.fixture
async def far(database: str) -> AsyncIterator[Hub]:
    async for hub in opened(database):
        yield hub


class TestPostgresHub(HubContract):
    """Two processes' hubs on one database."""


def cut_connections(database: str, words: str) -> None:
    with psycopg.connect(connection_string(database), autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE %s",
            (words,),
        )


async def test_a_cut_listener_listens_again_and_wakes_its_readers(near: Hub, far: Hub, database: str) -> None:
    with far.listening("a") as there:
        there.take_news()
        there.bell.clear()

        await asyncio.to_thread(cut_connections, database, "%LISTEN%")

        await until(there.bell.is_set)
        assert there.take_news()
        near.whisper("a", Chunk(1, "x"))
        assert await heard(there, 1) == [Chunk(1, "x")]


async def test_the_first_ring_after_a_silence_is_not_held_back(
    near: Hub, far: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_module, "GATHER_SECONDS", AGES_SECONDS)
    with far.listening("a") as there:
        there.bell.clear()
        near.ring(["a"])

        await until(there.bell.is_set)

        there.bell.clear()
        near.ring(["a"])
        await asyncio.sleep(0.3)
        assert not there.bell.is_set()


async def test_a_ring_waits_for_the_database_to_come_back(
    near: Hub, far: Hub, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_module, "GATHER_SECONDS", 0.3)
    near.ring(["first"])
    with far.listening("first") as there:
        await until(there.bell.is_set)
    with far.listening("a") as there:
        there.bell.clear()
        near.ring(["a"])
        await asyncio.to_thread(cut_connections, database, "%pg_notify%")

        await until(there.bell.is_set)


async def test_what_was_rung_last_is_heard_though_the_process_ends(far: Hub, database: str) -> None:
    async for leaving in opened(database):
        with far.listening("a") as there:
            there.bell.clear()
            leaving.ring(["a"])
            await leaving.stop()

            await until(there.bell.is_set)


@given(
    topics=st.lists(st.text(max_size=200), max_size=80),
    said=st.lists(st.tuples(st.text(max_size=50), st.integers(0), st.text(max_size=9000)), max_size=20),
)
def test_payloads_fit_and_hold_all_that_fits(topics: list[str], said: list[tuple[str, int, str]]) -> None:
    payloads = list(pack("me", topics, [(topic, Chunk(after, text)) for topic, after, text in said]))

    told = [json.loads(payload) for payload in payloads]
    assert all(len(payload.encode()) <= MAX_PAYLOAD_BYTES for payload in payloads)
    assert [topic for one in told for topic in one["rung"]] == topics
    short = [entry for entry in said if len(json.dumps(entry)) < 7000]
    packed = [tuple(entry) for one in told for entry in one["said"]]
    assert [entry for entry in packed if entry in short] == short
    assert all(entry in said for entry in packed)


def test_the_driver_of_the_address_is_left_out() -> None:
    address = connection_string("postgresql+psycopg://me:secret@db:5433/crews?sslmode=require")

    assert address.startswith("postgresql://me:secret@db:5433/crews?")
    assert "sslmode=require" in address
