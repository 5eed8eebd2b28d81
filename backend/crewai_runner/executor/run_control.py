"""The control of one running attempt: what the worker asks of the executor."""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol

from crewai_runner.domain.run import RunFailure, StopMode
from crewai_runner.domain.run_connection import RunConnection
from crewai_runner.executor.memory_records import StoreMemories, discard_memories
from crewai_runner.executor.run_files import StoreFile, discard_file
from crewai_runner.executor.tool_requests import ToolAction, ToolDecision, ToolRequest, ToolResult


@dataclass(frozen=True, slots=True)
class UserMessage:
    """A user's message to the running agent, or to the agent named by key."""

    message_id: str
    text: str
    agent: str | None = None


class RequestReceiver(Protocol):
    """Receives the requests to a running attempt, from any thread."""

    def stop(self, mode: StopMode, age_seconds: float) -> None: ...
    def send_message(self, message: UserMessage) -> None: ...
    def limit_spending(self, refusal: RunFailure | None) -> None: ...


class RunControl:
    """Thread-safe control of one running attempt: set by the worker, read by the executor.

    `flush` stores all events emitted so far; its future resolves when they are stored. `store_memories`
    stores changes of the crew's memory and `store_file` a file that a tool has written, before the attempt
    ends; both may be called from any thread. `on_connection` receives each connection of the attempt to
    another server; it must not block.
    """

    def __init__(
        self,
        flush: Callable[[], Future[None]] | None = None,
        store_memories: StoreMemories = discard_memories,
        store_file: StoreFile = discard_file,
        on_connection: Callable[[RunConnection], None] | None = None,
    ) -> None:
        self._lock = threading.Lock()
        self._flush = flush
        self.store_memories, self.store_file = store_memories, store_file
        self.on_connection = on_connection
        self.ask: Callable[[ToolRequest], Future[ToolDecision]] | None = None
        """Asks a person for a call of a tool; callable from any thread."""
        self.save: Callable[[ToolResult], Future[None]] | None = None
        """Stores the result of a call of a tool; callable from any thread."""
        self._messages: list[UserMessage] = []
        self._on_stop: list[Callable[[], None]] = []
        self._receiver: RequestReceiver | None = None
        self.stop_mode: StopMode | None = None
        self.stopping_since: float | None = None
        """When the stop was requested, in seconds of `time.monotonic()`."""
        self.has_backlog = False
        """Whether too many events wait to be stored: no model is called before they are."""
        self.limits_spending = False
        """Whether the workspace limits what it spends: no call begins before those before it are stored."""
        self.refusal: RunFailure | None = None
        """Why no further model call may begin; None if one may."""

    async def wait_until_stored(self) -> None:
        """Wait until the worker has stored all events emitted so far. May be called from any event loop."""
        if self._flush is not None:
            await asyncio.wrap_future(self._flush())

    def note_connection(self, connection: RunConnection) -> None:
        """Put a connection into the ledger of the run; those emitted before an event are stored with it."""
        if self.on_connection is not None:
            self.on_connection(connection)

    def ask_for_tool(self, request: ToolRequest) -> Future[ToolDecision]:
        """Ask a person for a call of a tool. Where no one can be asked it is refused."""
        if self.ask is not None:
            return self.ask(request)
        refused: Future[ToolDecision] = Future()
        refused.set_result(ToolDecision(ToolAction.DENY, feedback="No one can be asked here."))
        return refused

    def save_tool_result(self, result: ToolResult) -> Future[None]:
        """Store the result of a call of a tool; the future resolves when it is stored."""
        if self.save is not None:
            return self.save(result)
        stored: Future[None] = Future()
        stored.set_result(None)
        return stored

    def set_backlog(self, is_full: bool) -> None:
        self.has_backlog = is_full

    def limit_spending(self, refusal: RunFailure | None) -> None:
        """Say that the workspace limits its spending and, once that is used up, why calls are refused."""
        with self._lock:
            if self.limits_spending and self.refusal == refusal:
                return
            self.limits_spending, self.refusal = True, refusal
            receiver = self._receiver
        if receiver is not None:
            receiver.limit_spending(refusal)

    @property
    def is_stopping_now(self) -> bool:
        """Whether the attempt must end at once, in the middle of a step."""
        return self.stop_mode is StopMode.NOW

    def stop(self, mode: StopMode = StopMode.NOW, age_seconds: float = 0.0) -> None:
        """Request a stop; a second call may change `after-step` to `now`, never the reverse.

        `age_seconds`: how long ago a person requested it.
        """
        with self._lock:
            if self.stop_mode is StopMode.NOW:
                return
            self.stop_mode = mode
            requested_at = time.monotonic() - age_seconds
            self.stopping_since = min(requested_at, self.stopping_since or requested_at)
            listeners = list(self._on_stop) if mode is StopMode.NOW else []
            receiver = self._receiver
        if receiver is not None:
            receiver.stop(mode, age_seconds)
        for listener in listeners:
            listener()

    def forward_to(self, receiver: RequestReceiver) -> None:
        """Pass every request on to `receiver`, earlier ones included; messages are not kept here."""
        with self._lock:
            self._receiver = receiver
            messages, self._messages = self._messages, []
            mode, since = self.stop_mode, self.stopping_since
            limits_spending, refusal = self.limits_spending, self.refusal
        if limits_spending:
            receiver.limit_spending(refusal)
        if mode is not None and since is not None:
            receiver.stop(mode, time.monotonic() - since)
        for message in messages:
            receiver.send_message(message)

    def on_stop(self, listener: Callable[[], None]) -> None:
        """Call `listener` once, from any thread, as soon as the attempt must end now."""
        with self._lock:
            self._on_stop.append(listener)
            call_now = self.is_stopping_now
        if call_now:
            listener()

    def send_message(self, message: UserMessage) -> None:
        with self._lock:
            receiver = self._receiver
            if receiver is None:
                self._messages.append(message)
        if receiver is not None:
            receiver.send_message(message)

    def take_messages(self, agent_key: str | None) -> list[UserMessage]:
        """Remove and return the messages for this agent, those without an addressee included."""
        with self._lock:
            mine = [m for m in self._messages if m.agent is None or m.agent == agent_key]
            self._messages = [m for m in self._messages if m not in mine]
        return mine
