"""Requests that arrive together start a few at a time."""

import asyncio

import pytest
from starlette.types import Message, Receive, Scope, Send

from crewai_runner.http.gradual_start import MAX_STARTS, GradualStartMiddleware


class StartLog:
    """An application that lists the paths of the requests it starts."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self._limited = GradualStartMiddleware(self._start, exempt=frozenset({"/health"}))

    async def _start(self, scope: Scope, _receive: Receive, _send: Send) -> None:
        self.paths.append(scope["path"])

    async def request(self, path: str) -> None:
        await self._limited({"type": "http", "path": path}, _receive, _send)


async def _receive() -> Message:
    raise AssertionError


async def _send(_message: Message) -> None:
    raise AssertionError


class TestGradualStart:
    async def test_health_check_passes_the_requests_that_arrived_before_it(self) -> None:
        log = StartLog()
        burst = [asyncio.create_task(log.request(f"/{number}")) for number in range(150)]
        await asyncio.sleep(0)

        await log.request("/health")

        assert len(log.paths) <= MAX_STARTS + 1
        await asyncio.gather(*burst)
        log.paths.remove("/health")
        assert log.paths == [f"/{number}" for number in range(150)]

    async def test_single_request_starts_without_waiting(self) -> None:
        log = StartLog()

        with pytest.raises(StopIteration):
            log.request("/only").send(None)

        assert log.paths == ["/only"]

    async def test_cancelled_request_does_not_hold_up_the_others(self) -> None:
        log = StartLog()
        burst = [asyncio.create_task(log.request(f"/{number}")) for number in range(MAX_STARTS * 3)]
        await asyncio.sleep(0)

        for request in burst[MAX_STARTS : MAX_STARTS * 2]:
            request.cancel()
        await asyncio.gather(*burst, return_exceptions=True)

        assert len(log.paths) == MAX_STARTS * 2
