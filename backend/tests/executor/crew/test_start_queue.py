"""Attempts wait for a place before they build their crews, and give it back with their first model call."""

import asyncio
import threading
from collections.abc import Awaitable

import pytest

from crewai_runner.domain.run_event_payloads import LlmStartedData
from crewai_runner.domain.run_events import LlmStarted, RunEvent
from crewai_runner.executor.crew.attempt import start_queue as start_queue_module
from crewai_runner.executor.crew.attempt.start_queue import StartPlace, StartQueue
from tests.support.builders import started

FIRST_CALL = LlmStarted(data=LlmStartedData(call_id="c", call=1, model="m", messages=1))


@pytest.fixture(autouse=True)
def no_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start_queue_module, "MAX_START_SECONDS", 1000.0)


async def soon(place: Awaitable[StartPlace]) -> StartPlace:
    return await asyncio.wait_for(place, 10)


async def enter_next(queue: StartQueue) -> "asyncio.Task[StartPlace]":
    """Request a place and return when the request waits, or has one."""
    entering = asyncio.create_task(queue.enter())
    await asyncio.sleep(0)
    return entering


class TestStartQueue:
    async def test_gives_places_in_the_order_of_the_requests(self) -> None:
        queue = StartQueue(1)
        first = await soon(queue.enter())
        second, third = await enter_next(queue), await enter_next(queue)
        assert not second.done()

        first.release()
        first.release()

        place = await soon(second)
        assert not third.done()
        place.release()
        (await soon(third)).release()
        (await soon(queue.enter())).release()

    async def test_a_cancelled_request_leaves_its_place_to_the_next(self) -> None:
        queue = StartQueue(1)
        first = await soon(queue.enter())
        cancelled, cancelled_late, third = [await enter_next(queue) for _ in range(3)]

        cancelled.cancel()
        await asyncio.wait([cancelled])
        first.release()
        cancelled_late.cancel()

        (await soon(third)).release()
        assert cancelled_late.cancelled()

    async def test_first_model_call_releases_the_place(self) -> None:
        queue, emitted = StartQueue(1), list[RunEvent]()
        emit = (await soon(queue.enter())).watch(emitted.append)
        second = await enter_next(queue)

        emit(started("research"))
        await asyncio.sleep(0)
        assert not second.done()
        thread = threading.Thread(target=emit, args=(FIRST_CALL,))
        thread.start()

        (await soon(second)).release()
        thread.join()
        assert [event.type for event in emitted] == ["task.started", "llm.started"]

    async def test_place_is_not_held_for_long(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(start_queue_module, "MAX_START_SECONDS", 0.0)
        queue = StartQueue(1)
        await soon(queue.enter())

        (await soon(queue.enter())).release()

    def test_serves_one_event_loop_after_another(self) -> None:
        queue = StartQueue(1)

        async def enter_twice() -> None:
            place = await soon(queue.enter())
            waiting = await enter_next(queue)
            place.release()
            await soon(waiting)  # is held when its loop ends

        asyncio.run(enter_twice())
        asyncio.run(enter_twice())
