"""People at the doors of the product while its processes die: they ask again, and follow their runs."""

import asyncio
import json
import time
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx

from tests.support.server_process import API_KEY

PATIENCE_SECONDS = 240.0
AWAY = (502, 503, 504)
FINAL_EVENTS = ("run.completed", "run.failed", "run.stopped", "run.crashed")


class Caller:
    """Asks one door after the other until one answers. A repeated POST carries the same idempotency key."""

    def __init__(self, urls: list[str]) -> None:
        self._urls = urls
        self._turn = 0
        self.stalls: list[float] = []
        self.http = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {API_KEY}"},
            timeout=httpx.Timeout(30, connect=3),
            limits=httpx.Limits(max_connections=400),
            trust_env=False,
        )

    def door(self) -> str:
        self._turn += 1
        return self._urls[self._turn % len(self._urls)]

    async def get(self, path: str, **params: Any) -> Any:
        return (await self._ask("GET", path, params=params))[0].json()

    async def post(self, path: str, body: Any = None, *, once: str | None = None) -> Any:
        """`once`: what can be done only once. Asked again after a lost answer, 409 says that it is so."""
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        how = {"json": body if body is not None else {}, "headers": headers}
        response, repeated = await self._ask("POST", path, accept=(409,) if once else (), **how)
        if response.status_code == 409:
            assert repeated, response.text
            assert str(once) in response.json()["detail"], response.text
        return response.json()

    async def _ask(
        self, method: str, path: str, accept: tuple[int, ...] = (), **how: Any
    ) -> tuple[httpx.Response, bool]:
        """The first answer of a process that lives, and whether it was asked for more than once."""
        began, tries = time.monotonic(), 0
        while True:
            tries += 1
            try:
                response = await self.http.request(method, self.door() + path, **how)
            except httpx.TransportError:
                response = None
            if response is not None and response.status_code not in AWAY:
                self.stalls.append(time.monotonic() - began)
                fine = response.is_success or response.status_code in accept
                assert fine, f"{method} {path}: {response.status_code} {response.text[:800]}"
                return response, tries > 1
            assert time.monotonic() - began < PATIENCE_SECONDS, f"nobody answers {method} {path}"
            await asyncio.sleep(0.2)


@dataclass
class Reader:
    """Follows one run through every loss of its stream; keeps what it was told, in order."""

    caller: Caller
    run_id: str
    seqs: list[int] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    lags: list[tuple[float, float]] = field(default_factory=list)
    """When a live event came (monotonic seconds), and how many seconds after it was made."""
    losses: int = 0

    async def follow(self) -> None:
        end = time.monotonic() + PATIENCE_SECONDS
        while not (self.types and self.types[-1] in FINAL_EVENTS):
            assert time.monotonic() < end, f"{self.run_id}: no end after {self.types[-3:]}"
            try:
                await self._listen()
            except httpx.TransportError:
                self.losses += 1
            await asyncio.sleep(0.2)

    async def _listen(self) -> None:
        headers = {"Last-Event-ID": str(self.seqs[-1])} if self.seqs else {}
        url = f"{self.caller.door()}/api/v1/runs/{self.run_id}/stream"
        timeout = httpx.Timeout(30, connect=3)
        async with self.caller.http.stream("GET", url, headers=headers, timeout=timeout) as response:
            if response.status_code in AWAY:
                return
            assert response.status_code == 200, (await response.aread())[:500]
            opened, number = time.time(), ""
            async for line in response.aiter_lines():
                name, _, value = line.partition(": ")
                if name == "id":
                    number = value
                elif name == "data":
                    self._hear(json.loads(value), number, opened)
                    number = ""

    def _hear(self, frame: dict[str, Any], number: str, opened: float) -> None:
        if not number or "seq" not in frame:
            return
        self.seqs.append(frame["seq"])
        self.types.append(frame["type"])
        made = datetime.fromisoformat(frame["at"]).timestamp()
        if made > opened:
            self.lags.append((time.monotonic(), time.time() - made))
