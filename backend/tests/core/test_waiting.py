"""Waiting for an event with a timeout."""

import asyncio

import pytest

from crewai_runner.core.waiting import wait_event


class TestWaitEvent:
    async def test_returns_whether_the_event_was_set(self) -> None:
        event = asyncio.Event()
        assert not await wait_event(event, 0.01)

        asyncio.get_running_loop().call_later(0.01, event.set)

        assert await wait_event(event, 10)
        assert await wait_event(event, 0)

    async def test_cancellation_together_with_the_event_is_not_lost(self) -> None:
        event = asyncio.Event()
        waiting = asyncio.create_task(wait_event(event, 10))
        await asyncio.sleep(0)

        event.set()
        waiting.cancel()

        with pytest.raises(asyncio.CancelledError):
            await waiting
