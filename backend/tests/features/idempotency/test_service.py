"""The same key and body gives the first answer again, and nothing is made twice."""

import asyncio
from datetime import timedelta

import pytest
from pydantic import BaseModel

from crewai_runner.core.clock import now
from crewai_runner.features.idempotency import service as idempotency
from crewai_runner.features.idempotency.errors import IdempotencyKeyReused
from crewai_runner.features.idempotency.service import IdempotencyService
from tests.support.harness import RunHarness


class Body(BaseModel):
    text: str


class Answer(BaseModel):
    number: int


class Making:
    """Counts how often the thing was made, in the caller's transaction."""

    def __init__(self, harness: RunHarness) -> None:
        self.made = 0
        self._harness = harness

    async def __call__(
        self, key: str | None, text: str = "a", route: str = "runs", workspace: str = "ws_default"
    ) -> int:
        async with self._harness.session() as session:
            once = IdempotencyService(session, workspace, route, key)
            return (await once(Answer, Body(text=text), self._make)).number

    async def _make(self) -> Answer:
        self.made += 1
        return Answer(number=self.made)


@pytest.fixture
def making(harness: RunHarness) -> Making:
    return Making(harness)


async def test_the_same_key_and_body_gives_the_first_answer(making: Making) -> None:
    assert [await making("k") for _ in range(3)] == [1, 1, 1]
    assert making.made == 1


async def test_the_same_key_with_another_body_is_refused(making: Making) -> None:
    await making("k", "a")

    with pytest.raises(IdempotencyKeyReused):
        await making("k", "b")

    assert making.made == 1


async def test_without_a_key_everything_is_made(making: Making) -> None:
    assert [await making(None), await making(None)] == [1, 2]


async def test_keys_of_other_routes_and_workspaces_are_other_keys(making: Making) -> None:
    answers = [
        await making("k"),
        await making("k", route="runs/x/retry"),
        await making("k", workspace="ws_strangers"),
    ]

    assert answers == [1, 2, 3]


async def test_requests_at_once_make_one_thing(making: Making) -> None:
    assert await asyncio.gather(*(making("k") for _ in range(6))) == [1] * 6
    assert making.made == 1


async def test_a_failed_making_leaves_the_key_free(harness: RunHarness, making: Making) -> None:
    async def fail() -> Answer:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await _attempt(harness, fail)

    assert await making("k") == 1


async def _attempt(harness: RunHarness, make: object) -> None:
    async with harness.session() as session:
        await IdempotencyService(session, "ws_default", "runs", "k")(Answer, Body(text="a"), make)  # type: ignore[arg-type]


async def test_a_key_is_forgotten_after_a_day(making: Making, monkeypatch: pytest.MonkeyPatch) -> None:
    await making("k")
    later = now() + timedelta(hours=24, seconds=1)
    monkeypatch.setattr(idempotency, "now", lambda: later)

    assert await making("k", "another body") == 2
