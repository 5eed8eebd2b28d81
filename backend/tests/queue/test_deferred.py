"""The queue before the real one is open."""

import pytest

from crewai_runner.core.errors import Unavailable
from crewai_runner.queue.deferred import DeferredQueue
from crewai_runner.queue.in_process import InProcessQueue


class TestDeferredQueue:
    async def test_refuses_with_retry_after_until_it_is_open(self) -> None:
        queue = DeferredQueue()

        for call in (queue.stats, queue.orphans, lambda: queue.states([]), lambda: queue.requeue([])):
            with pytest.raises(Unavailable) as refused:
                await call()
            assert refused.value.extra["headers"] == {"Retry-After": "2"}

    async def test_forwards_to_the_open_queue(self) -> None:
        queue = DeferredQueue()
        queue.open(InProcessQueue())

        await queue.wait_until_open()

        assert queue.is_open
        assert (await queue.stats()).waiting == 0
