"""Clients that retry while server processes are killed and restarted."""

import asyncio
import json
import time
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx

from tests.support.server_process import API_KEY

TIMEOUT_SECONDS = 240.0
UNAVAILABLE = (502, 503, 504)
FINAL_EVENTS = ("run.completed", "run.failed", "run.stopped", "run.crashed")


class RetryingClient:
    """Sends requests to the servers in turn until one responds; retries keep their idempotency key."""

    def __init__(self, urls: list[str]) -> None:
        self._urls = urls
        self._next_index = 0
        self.durations: list[float] = []
        self.http = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {API_KEY}"},
            timeout=httpx.Timeout(30, connect=3),
            limits=httpx.Limits(max_connections=400),
            trust_env=False,
        )

    def next_url(self) -> str:
        self._next_index += 1
        return self._urls[self._next_index % len(self._urls)]

    async def get(self, path: str, **params: Any) -> Any:
        return (await self._request("GET", path, params=params))[0].json()

    async def post(self, path: str, body: Any = None, *, conflict: str | None = None) -> Any:
        """Send a POST; with `conflict`, a retry may get a 409 whose detail contains this text."""
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        options: dict[str, Any] = {"json": body if body is not None else {}, "headers": headers}
        response, is_retry = await self._request("POST", path, accept=(409,) if conflict else (), **options)
        if response.status_code == 409:
            assert is_retry, response.text
            assert str(conflict) in response.json()["detail"], response.text
        return response.json()

    async def _request(
        self, method: str, path: str, accept: tuple[int, ...] = (), **options: Any
    ) -> tuple[httpx.Response, bool]:
        """Return the first response of a live process, and whether it responds to a retry."""
        start, tries = time.monotonic(), 0
        while True:
            tries += 1
            try:
                response = await self.http.request(method, self.next_url() + path, **options)
            except httpx.TransportError:
                response = None
            if response is not None and response.status_code not in UNAVAILABLE:
                self.durations.append(time.monotonic() - start)
                is_accepted = response.is_success or response.status_code in accept
                assert is_accepted, f"{method} {path}: {response.status_code} {response.text[:800]}"
                return response, tries > 1
            assert time.monotonic() - start < TIMEOUT_SECONDS, f"no response to {method} {path}"
            await asyncio.sleep(0.2)


@dataclass
class StreamReader:
    """Follows the event stream of a run and reconnects after each disconnect."""

    client: RetryingClient
    run_id: str
    seqs: list[int] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    lags: list[tuple[float, float]] = field(default_factory=list)
    """Arrival of each live event (monotonic seconds) and its delay since creation in seconds."""
    disconnects: int = 0

    async def follow(self) -> None:
        end = time.monotonic() + TIMEOUT_SECONDS
        while not (self.types and self.types[-1] in FINAL_EVENTS):
            assert time.monotonic() < end, f"{self.run_id}: no final event after {self.types[-3:]}"
            try:
                await self._read_stream()
            except httpx.TransportError:
                self.disconnects += 1
            await asyncio.sleep(0.2)

    async def _read_stream(self) -> None:
        headers = {"Last-Event-ID": str(self.seqs[-1])} if self.seqs else {}
        url = f"{self.client.next_url()}/api/v1/runs/{self.run_id}/stream"
        timeout = httpx.Timeout(30, connect=3)
        async with self.client.http.stream("GET", url, headers=headers, timeout=timeout) as response:
            if response.status_code in UNAVAILABLE:
                return
            assert response.status_code == 200, (await response.aread())[:500]
            connected_at, event_id = time.time(), ""
            async for line in response.aiter_lines():
                name, _, value = line.partition(": ")
                if name == "id":
                    event_id = value
                elif name == "data":
                    self._record(json.loads(value), event_id, connected_at)
                    event_id = ""

    def _record(self, frame: dict[str, Any], event_id: str, connected_at: float) -> None:
        if not event_id or "seq" not in frame:
            return
        self.seqs.append(frame["seq"])
        self.types.append(frame["type"])
        created_at = datetime.fromisoformat(frame["at"]).timestamp()
        if created_at > connected_at:
            self.lags.append((time.monotonic(), time.time() - created_at))
