"""The host's end of `bridge.sock`: reads what the project's processes report, and answers their questions.

Everything is bounded: connections, the length of a line, bytes and messages of an attempt, open questions.
A process that exceeds a limit loses its connection or is slowed down; the run continues, for its figures come
from the model gateway.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import ValidationError

from crewai_runner.core.logging import get_logger
from crewai_runner.domain.run_event_payloads import WarningRaisedData
from crewai_runner.domain.run_events import RunEvent, WarningRaised
from crewai_runner.executor.port import EventSink
from crewai_runner.executor.projects.bridge.messages import (
    GUEST_MESSAGE,
    CrewCompletedMessage,
    EntryCompletedMessage,
    EntryFailedMessage,
    GuestMessage,
    InputAnsweredMessage,
    InputRequestedMessage,
    StartMessage,
    StoredMessage,
    TaskCompletedMessage,
)
from crewai_runner.executor.projects.bridge.translator import BridgeTranslator

log = get_logger(__name__)
AskPerson = Callable[[InputRequestedMessage], Awaitable[str | None]]
"""Waits for a person's answer; None: there will be none."""
Store = Callable[[], Awaitable[None]]
"""Waits until everything that was reported so far is stored."""
EntryResult = EntryCompletedMessage | EntryFailedMessage


@dataclass(frozen=True, slots=True)
class BridgeLimits:
    """Limits of one attempt of a run; `line` and `total` in bytes."""

    connections: int = 8
    line: int = 4 * 1024 * 1024
    total: int = 128 * 1024 * 1024
    messages: int = 50_000
    rejected: int = 100
    open_questions: int = 16
    questions: int = 1000
    slow_down_seconds: float = 0.01
    """How long each message beyond `messages` waits before the next one is read."""
    parse_in_thread: int = 64 * 1024
    """Longer lines are parsed outside the event loop."""


class BridgeServer:
    """Serves one attempt on a Unix socket while it is open as a context manager.

    `result` is how the entry point ended, `last_crew` the result of the last kickoff.
    """

    def __init__(
        self,
        path: Path,
        start: StartMessage,
        translator: BridgeTranslator,
        sink: EventSink,
        ask: AskPerson,
        *,
        limits: BridgeLimits | None = None,
        store: Store | None = None,
    ) -> None:
        self._path, self._start = path, start.encode()
        self._translator, self._sink, self._ask = translator, sink, ask
        self._limits, self._store = limits or BridgeLimits(), store
        self._connections: set[asyncio.Task[None]] = set()
        self._open_questions = 0
        self._questions = 0
        self._received = 0
        self._warned: set[str] = set()
        self.messages = 0
        self.rejected = 0
        self.result: EntryResult | None = None
        self.last_crew: CrewCompletedMessage | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_unix_server(self._accept, self._path, limit=self._limits.line)
        # The sandbox's user is another one; the folder decides who reaches the socket.
        self._path.chmod(0o666)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        connections = list(self._connections)
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()

    async def wait_disconnected(self, seconds: float = 5.0) -> None:
        """Wait until all that ended processes have sent is processed, at most the given time."""
        if self._connections:
            await asyncio.wait(self._connections, timeout=seconds)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._connections) >= self._limits.connections:
            writer.close()
            return
        task = asyncio.create_task(self._serve(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.TaskGroup() as questions:
                writer.write(self._start)
                await self._read(reader, writer, questions)
                raise _Disconnected
        except* (_Disconnected, OSError):
            pass
        finally:
            writer.close()

    async def _read(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, questions: asyncio.TaskGroup
    ) -> None:
        """Process lines until the connection ends or exceeds a limit."""
        while self._received <= self._limits.total and self.rejected <= self._limits.rejected:
            try:
                line = await reader.readuntil(b"\n")
            except asyncio.IncompleteReadError:
                return
            except asyncio.LimitOverrunError:
                break
            self._received += len(line)
            self.messages += 1
            message = await self._parse(line)
            if isinstance(message, InputRequestedMessage):
                questions.create_task(self._answer(message, writer))
            elif message is not None:
                event = self._process(message)
                if isinstance(message, TaskCompletedMessage) and message.request_id is not None:
                    is_new = event is not None
                    questions.create_task(self._confirm(message.request_id, writer, is_new=is_new))
            if self.messages > self._limits.messages:
                self._warn("bridge-limit", "The project reports more steps than a run may have.")
                await asyncio.sleep(self._limits.slow_down_seconds)
        self._warn("bridge-limit", "The project's reports exceed a limit, so further steps are not shown.")

    async def _parse(self, line: bytes) -> GuestMessage | None:
        try:
            if len(line) > self._limits.parse_in_thread:
                return await asyncio.to_thread(GUEST_MESSAGE.validate_json, line)
            return GUEST_MESSAGE.validate_json(line)
        except ValidationError as error:
            self.rejected += 1
            log.warning("bridge.message_rejected", problems=error.error_count())
            return None

    def _process(self, message: GuestMessage) -> RunEvent | None:
        match message:
            case EntryCompletedMessage() | EntryFailedMessage():
                self.result = self.result or message
            case CrewCompletedMessage():
                self.last_crew = message
            case _ if self.messages <= self._limits.messages:
                event = self._translator.translate(message)
                if event is not None:
                    self._sink(event)
                return event
        return None

    async def _confirm(self, request_id: str, writer: asyncio.StreamWriter, *, is_new: bool) -> None:
        """Tell a process that its finished task is stored."""
        if is_new and self._store is not None:
            await self._store()
        with contextlib.suppress(OSError):
            writer.write(StoredMessage(request_id=request_id).encode())
            await writer.drain()

    async def _answer(self, message: InputRequestedMessage, writer: asyncio.StreamWriter) -> None:
        self._questions += 1
        text = None
        if self._open_questions < self._limits.open_questions and self._questions <= self._limits.questions:
            self._open_questions += 1
            try:
                text = await self._ask(message)
            finally:
                self._open_questions -= 1
        answer = InputAnsweredMessage(request_id=message.request_id, text=text)
        with contextlib.suppress(OSError):
            writer.write(answer.encode())
            await writer.drain()

    def _warn(self, code: str, message: str) -> None:
        if code not in self._warned:
            self._warned.add(code)
            self._sink(WarningRaised(data=WarningRaisedData(code=code, message=message)))


class _Disconnected(Exception):
    """Ends the questions of a process that is gone."""
