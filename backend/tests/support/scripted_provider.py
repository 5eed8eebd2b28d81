"""A scripted model provider that speaks OpenAI's protocol, for tests, benchmarks and browser tests.

In the test's own process::

    with ScriptedProvider() as provider:
        provider.on(Say("Hello"), last_contains="greet", times=1)
        ...  # let the product call provider.base_url
        provider.wait_for_requests(1)

As a process, controlled over ``/_control/...`` by ``ProviderProcess``, ``RemoteProvider`` or a browser test::

    python -m tests.support.scripted_provider --port 0 --delay-ms 500 --script rules.json
    {"url": "http://127.0.0.1:40123"}

Without a matching rule the reply to model call n is "Answer n".
"""

import argparse
import asyncio
import contextlib
import json
import signal
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.support.provider.client import ProviderProcess, RemoteProvider
from tests.support.provider.replies import (
    Body,
    CallTools,
    Drop,
    Empty,
    Fail,
    Garbage,
    Hang,
    HangMidStream,
    Hold,
    Reply,
    Say,
    Usage,
)
from tests.support.provider.request_log import RecordedRequest
from tests.support.provider.rules import Rule
from tests.support.provider.server import ProviderServer

__all__ = [
    "Body",
    "CallTools",
    "Drop",
    "Empty",
    "Fail",
    "Garbage",
    "Hang",
    "HangMidStream",
    "Hold",
    "ProviderProcess",
    "RecordedRequest",
    "RemoteProvider",
    "Rule",
    "Say",
    "ScriptedProvider",
    "Usage",
]


class ScriptedProvider:
    """A provider in a thread of this process. All methods are thread-safe.

    ``api_key`` is the only accepted key (None: any or none); ``delay`` is the default delay of replies in
    seconds; ``echo`` replies with the last message instead of "Answer n".
    """

    def __init__(
        self,
        rules: Iterable[Rule] = (),
        *,
        api_key: str | None = None,
        delay: float = 0.0,
        echo: bool = False,
        models: Sequence[str] = ("test-model",),
        port: int = 0,
        host: str = "127.0.0.1",
    ) -> None:
        self._server = ProviderServer(api_key=api_key, delay=delay, echo=echo, models=models)
        self._server.rules.replace(rules)
        self._requested_port, self._host = port, host
        self._started = threading.Event()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve()), name="scripted-provider", daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._started.wait(10):
            raise RuntimeError("The scripted provider did not start.")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._stop_event.set)
        self._thread.join(10)

    async def _serve(self) -> None:
        self._loop, self._stop_event = asyncio.get_running_loop(), asyncio.Event()
        self.port = await self._server.start(self._requested_port, self._host)
        self._started.set()
        await self._stop_event.wait()
        await self._server.stop()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def base_url(self) -> str:
        return f"{self.url}/v1"

    @property
    def delay(self) -> float:
        """The default delay of replies in seconds."""
        return self._server.delay

    @delay.setter
    def delay(self, seconds: float) -> None:
        self._server.delay = seconds

    def script(self, rules: Iterable[Rule]) -> None:
        """Replace the rules."""
        self._server.rules.replace(rules)

    def on(
        self,
        reply: Reply | Callable[[RecordedRequest], Reply],
        *,
        model: str | None = None,
        contains: str | None = None,
        last_contains: str | None = None,
        when: Callable[[RecordedRequest], bool] | None = None,
        times: int | None = None,
    ) -> None:
        """Append a rule."""
        self._server.rules.append([Rule(reply, model, contains, last_contains, when, times)])

    def then(self, *replies: Reply) -> None:
        """Append replies that are sent once each, in this order."""
        self._server.rules.append([Rule(reply, times=1) for reply in replies])

    def release(self, gate: str) -> None:
        """Open the gate for waiting and future calls."""
        self._loop.call_soon_threadsafe(self._server.release, gate)

    def reset(self) -> None:
        """Clear rules, log and gates."""
        self._server.reset()

    @property
    def requests(self) -> list[RecordedRequest]:
        """All model calls, rejected ones included, numbered from 1."""
        return list(self._server.log.requests)

    @property
    def other_requests(self) -> list[RecordedRequest]:
        """All other requests: model lists, embeddings, unknown paths."""
        return list(self._server.log.other_requests)

    @property
    def open_requests(self) -> list[RecordedRequest]:
        """The model calls in flight."""
        return [record for record in self.requests if record.open]

    @property
    def in_flight(self) -> int:
        return self._server.log.in_flight

    @property
    def max_in_flight(self) -> int:
        return self._server.log.max_in_flight

    def wait_for_requests(self, count: int, timeout: float = 10.0) -> list[RecordedRequest]:
        """Wait for ``count`` model calls and return all of them. Raises ``TimeoutError``."""
        self.wait_until(lambda: len(self.requests) >= count, f"{count} requests", timeout)
        return self.requests

    def wait_for_disconnects(self, count: int, timeout: float = 10.0) -> list[RecordedRequest]:
        """Wait for ``count`` disconnected model calls and return them. Raises ``TimeoutError``."""
        self.wait_until(
            lambda: len(self._server.log.disconnected_calls()) >= count, f"{count} disconnects", timeout
        )
        return self._server.log.disconnected_calls()

    def wait_until(
        self, condition: Callable[[], bool], what: str = "the condition", timeout: float = 10.0
    ) -> None:
        """Wait until the condition holds; it is evaluated after each change. Raises ``TimeoutError``."""
        if not self._server.log.wait_until(condition, timeout):
            seen = [(record.number, record.path, record.status) for record in self.requests]
            raise TimeoutError(f"No {what} within {timeout} s; seen: {seen}")


async def _run_process(options: argparse.Namespace) -> None:
    server = ProviderServer(
        api_key=options.api_key, delay=options.delay_ms / 1000, echo=options.echo, models=["test-model"]
    )
    if options.script is not None:
        content: Any = json.loads(options.script.read_text())
        server.rules.replace(
            [Rule.from_json(one) for one in (content["rules"] if isinstance(content, dict) else content)]
        )
    port = await server.start(options.port)
    stop_event = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop_event.set)
    print(json.dumps({"url": f"http://127.0.0.1:{port}"}), flush=True)
    await stop_event.wait()
    await server.stop()


def main() -> None:
    """Serve until SIGTERM or SIGINT; prints one JSON line with the URL."""
    parser = argparse.ArgumentParser(prog="tests.support.scripted_provider", description=main.__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--delay-ms", type=float, default=0.0)
    parser.add_argument("--script", type=Path)
    parser.add_argument("--api-key")
    parser.add_argument("--echo", action="store_true")
    asyncio.run(_run_process(parser.parse_args()))


if __name__ == "__main__":
    main()
