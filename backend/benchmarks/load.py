"""A light HTTP client on asyncio streams: it must cost less than what it measures."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Self


class HttpConnection:
    """One keep-alive connection to a server on this machine."""

    def __init__(self, port: int, token: str) -> None:
        self._port = port
        self._token = token

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port, limit=2**22)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()

    async def request(self, method: str, path: str, content: Any = None) -> tuple[int, bytes]:
        """The status and the body."""
        status, headers = await self._send(method, path, content)
        if "content-length" in headers:
            return status, await self._reader.readexactly(int(headers["content-length"]))
        return status, b"".join([chunk async for chunk in self._chunks()])

    async def json(self, method: str, path: str, content: Any = None) -> Any:
        """The body of a success. Raises ``RuntimeError`` otherwise."""
        status, body = await self.request(method, path, content)
        if status >= 400:
            raise RuntimeError(f"{method} {path}: {status} {body[:500].decode(errors='replace')}")
        return json.loads(body)

    async def lines(self, path: str) -> AsyncIterator[str]:
        """The lines of a stream of server-sent events, until the server ends it."""
        status, _ = await self._send("GET", path, None)
        if status != 200:
            raise RuntimeError(f"GET {path}: {status}")
        rest = b""
        async for chunk in self._chunks():
            *whole, rest = (rest + chunk).split(b"\n")
            for line in whole:
                yield line.decode()

    async def _send(self, method: str, path: str, content: Any) -> tuple[int, dict[str, str]]:
        body = b"" if content is None else json.dumps(content).encode()
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {self._token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self._writer.write(head.encode() + body)
        first, *rest = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        pairs = (line.partition(":") for line in rest if line)
        return int(first.split()[1]), {name.lower(): text.strip() for name, _, text in pairs}

    async def _chunks(self) -> AsyncIterator[bytes]:
        while size := int(await self._reader.readline(), 16):
            yield (await self._reader.readexactly(size + 2))[:-2]
        await self._reader.readline()


@dataclass
class Latencies:
    """The duration of each call and of the whole measurement, in seconds."""

    seconds: list[float] = field(default_factory=list)
    duration: float = 0.0

    @property
    def rate(self) -> float:
        """Calls per second."""
        return len(self.seconds) / self.duration

    def at(self, percent: float) -> float:
        """Return a percentile in milliseconds."""
        return percentile(self.seconds, percent) * 1000


def percentile(values: list[float], percent: float) -> float:
    """Return the smallest value that ``percent`` per cent of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


Call = Callable[[HttpConnection], Awaitable[Any]]


async def call_continuously(
    port: int, token: str, call: Call, *, connections: int, seconds: float
) -> Latencies:
    """Call without pauses on ``connections`` connections."""
    found, start = Latencies(), time.monotonic()

    async def one() -> None:
        async with HttpConnection(port, token) as http:
            while (now := time.monotonic()) < start + seconds:
                await call(http)
                found.seconds.append(time.monotonic() - now)

    await asyncio.gather(*(one() for _ in range(connections)))
    found.duration = time.monotonic() - start
    return found


async def call_periodically(
    port: int, token: str, call: Call, *, every: float, until: asyncio.Event
) -> Latencies:
    """Call every ``every`` seconds on one connection until the event is set."""
    found, start = Latencies(), time.monotonic()
    async with HttpConnection(port, token) as http:
        while not until.is_set():
            now = time.monotonic()
            await call(http)
            found.seconds.append(time.monotonic() - now)
            await asyncio.sleep(max(0.0, every - found.seconds[-1]))
    found.duration = time.monotonic() - start
    return found


async def wait_until(check: Callable[[], Awaitable[bool]], *, every: float, seconds: float) -> None:
    """Poll until the check returns true. Raises ``TimeoutError``."""
    async with asyncio.timeout(seconds):
        while True:
            if await check():
                return
            await asyncio.sleep(every)


async def call_concurrently(
    port: int, token: str, call: Call, count: int, connections: int = 16
) -> list[Any]:
    """Call ``count`` times on a few connections; returns the results in no particular order."""
    left = iter(range(count))
    answers: list[Any] = []

    async def one() -> None:
        async with HttpConnection(port, token) as http:
            answers.extend([await call(http) for _ in left])

    await asyncio.gather(*(one() for _ in range(min(connections, count))))
    return answers
