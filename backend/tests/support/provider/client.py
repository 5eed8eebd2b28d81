"""Clients of a scripted provider in another process, through its control API."""

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from tests.support.provider.request_log import RecordedRequest
from tests.support.provider.rules import Rule

BACKEND = Path(__file__).resolve().parents[3]


class RemoteProvider:
    """A client of the control API with the interface of ``ScriptedProvider``."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.base_url = f"{url}/v1"
        self._http = httpx.Client(base_url=url, timeout=70, trust_env=False)

    def script(self, rules: Iterable[Rule], **settings: Any) -> None:
        """Replace the rules. Settings: append, echo, delayMs, apiKey, models."""
        self._send("POST", "/_control/script", {"rules": [rule.as_json() for rule in rules], **settings})

    def reset(self) -> None:
        self._send("POST", "/_control/reset")

    def start_another(self) -> "RemoteProvider":
        """Start a separate provider in the same process."""
        return RemoteProvider(self._send("POST", "/_control/start")["url"])

    def stop(self) -> None:
        """Close the provider's port and connections; the process and its other providers continue."""
        self._send("POST", "/_control/stop")

    def release(self, gate: str) -> None:
        self._send("POST", "/_control/release", {"gate": gate})

    def state(self, bodies: bool = True) -> dict[str, Any]:
        """Counts (count, inFlight, maxInFlight, disconnects) and, with bodies, requests and otherRequests."""
        found: dict[str, Any] = self._send("GET", f"/_control/requests?bodies={str(bodies).lower()}")
        return found

    @property
    def requests(self) -> list[RecordedRequest]:
        return [RecordedRequest.from_json(one) for one in self.state()["requests"]]

    def wait_for_requests(self, count: int, timeout: float = 10.0) -> None:
        """Wait until ``count`` model calls have arrived. Raises ``TimeoutError``."""
        self._wait(requests=count, timeout=timeout)

    def wait_for_disconnects(self, count: int, timeout: float = 10.0) -> None:
        """Wait until ``count`` clients have disconnected early. Raises ``TimeoutError``."""
        self._wait(disconnects=count, timeout=timeout)

    def wait_for_finished(self, count: int, timeout: float = 10.0) -> None:
        """Wait until ``count`` model calls have finished. Raises ``TimeoutError``."""
        self._wait(finished=count, timeout=timeout)

    def _wait(self, **wanted: float) -> None:
        query = "&".join(f"{name}={value}" for name, value in wanted.items())
        if not self._send("GET", f"/_control/wait?{query}")["met"]:
            raise TimeoutError(f"Not reached: {wanted}; seen: {self.state(bodies=False)}")

    def _send(self, method: str, path: str, content: Any = None) -> Any:
        response = self._http.request(method, path, json=content)
        if response.is_error:
            raise ValueError(response.text)
        return response.json()

    def close(self) -> None:
        self._http.close()


class ProviderProcess(RemoteProvider):
    """A scripted provider in a separate process, terminated at the end of the ``with`` block."""

    def __init__(self, *options: str) -> None:
        """Options are command-line options, such as ``"--delay-ms", "500"``."""
        command = [sys.executable, "-m", "tests.support.scripted_provider", *options]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=BACKEND)
        assert self._process.stdout is not None
        super().__init__(json.loads(self._process.stdout.readline())["url"])

    @property
    def pid(self) -> int:
        return self._process.pid

    def close(self) -> None:
        super().close()
        self._process.terminate()
        self._process.wait(10)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
