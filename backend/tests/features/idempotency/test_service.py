"""Repeating a request with the same key and body returns the first response and creates nothing."""

import asyncio
import hashlib
from datetime import timedelta

import pytest
from pydantic import BaseModel, Field, SecretStr
from sqlalchemy import select

from crewai_runner.core.clock import now
from crewai_runner.db.session import read_session
from crewai_runner.db.tables.idempotency import IdempotencyRow
from crewai_runner.features.idempotency import service as idempotency
from crewai_runner.features.idempotency.errors import IdempotencyKeyReused
from crewai_runner.features.idempotency.service import IdempotencyService
from tests.support.harness import RunHarness

pytestmark = pytest.mark.each_database


class Inner(BaseModel):
    secret: SecretStr


class Body(BaseModel):
    text: str
    inner: list[Inner] = Field(default_factory=list)


class Response(BaseModel):
    number: int


class CreationCounter:
    """Creates an answer in a transaction of its own and counts how often it did."""

    def __init__(self, harness: RunHarness) -> None:
        self.created = 0
        self._harness = harness

    async def __call__(
        self, key: str | None, text: str = "a", route: str = "runs", workspace: str = "ws_default"
    ) -> int:
        async with self._harness.session() as session:
            idempotent = IdempotencyService(session, workspace, route, key)
            return (await idempotent(Response, Body(text=text), self._create)).number

    async def _create(self) -> Response:
        self.created += 1
        return Response(number=self.created)


@pytest.fixture
def counter(harness: RunHarness) -> CreationCounter:
    return CreationCounter(harness)


async def _attempt(harness: RunHarness, create: object) -> None:
    async with harness.session() as session:
        await IdempotencyService(session, "ws_default", "runs", "k")(Response, Body(text="a"), create)  # type: ignore[arg-type]


class TestIdempotency:
    async def test_same_key_and_body_returns_the_first_response(self, counter: CreationCounter) -> None:
        assert [await counter("k") for _ in range(3)] == [1, 1, 1]
        assert counter.created == 1

    async def test_same_key_with_another_body_is_rejected(self, counter: CreationCounter) -> None:
        await counter("k", "a")

        with pytest.raises(IdempotencyKeyReused):
            await counter("k", "b")

        assert counter.created == 1

    async def test_same_key_with_another_secret_is_rejected(self, harness: RunHarness) -> None:
        async def send(secret: str) -> None:
            body = Body(text="a", inner=[Inner(secret=SecretStr(secret))])
            async with harness.session() as session:
                await IdempotencyService(session, "ws_default", "runs", "k")(Response, body, create)

        async def create() -> Response:
            return Response(number=1)

        await send("one")
        await send("one")
        with pytest.raises(IdempotencyKeyReused):
            await send("two")
        async with read_session(harness.container.sessions) as session:
            stored = await session.scalar(select(IdempotencyRow.body_hash))
        plain = Body(text="a", inner=[Inner(secret=SecretStr("one"))]).model_dump_json()
        guess = hashlib.sha256(b"one").hexdigest()
        assert stored != hashlib.sha256((plain + guess).encode()).hexdigest()

    async def test_without_a_key_every_call_creates(self, counter: CreationCounter) -> None:
        assert [await counter(None), await counter(None)] == [1, 2]

    async def test_keys_are_separate_per_route_and_workspace(self, counter: CreationCounter) -> None:
        answers = [
            await counter("k"),
            await counter("k", route="runs/x/retry"),
            await counter("k", workspace="ws_strangers"),
        ]

        assert answers == [1, 2, 3]

    async def test_concurrent_requests_create_once(self, counter: CreationCounter) -> None:
        assert await asyncio.gather(*(counter("k") for _ in range(6))) == [1] * 6
        assert counter.created == 1

    async def test_failed_creation_releases_the_key(
        self, harness: RunHarness, counter: CreationCounter
    ) -> None:
        async def fail() -> Response:
            raise ConnectionError

        with pytest.raises(ConnectionError):
            await _attempt(harness, fail)

        assert await counter("k") == 1

    async def test_key_expires_after_24_hours(
        self, counter: CreationCounter, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await counter("k")
        later = now() + timedelta(hours=24, seconds=1)
        monkeypatch.setattr(idempotency, "now", lambda: later)

        assert await counter("k", "another body") == 2
