"""Connects the process of a project with the attempt of its run that executes it at the moment."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass

from crewai_runner.domain.run import RunFailure, StopMode
from crewai_runner.domain.run_events import RunEvent
from crewai_runner.executor.port import EventSink, NeedsHuman, Outcome, RunControl, RunSpec, UserMessage
from crewai_runner.executor.project_code import ProjectCode

MAX_KEPT_EVENTS = 2000


class AttachedSink:
    """Passes events to the attempt that is attached; between attempts it keeps some. Thread-safe."""

    def __init__(self, sink: EventSink) -> None:
        self._lock = threading.Lock()
        self._sink: EventSink | None = sink
        self._kept: list[RunEvent] = []

    def __call__(self, event: RunEvent) -> None:
        with self._lock:
            if self._sink is not None:
                self._sink(event)
            elif len(self._kept) < MAX_KEPT_EVENTS:
                self._kept.append(event)

    @property
    def is_attached(self) -> bool:
        return self._sink is not None

    def detach(self) -> None:
        with self._lock:
            self._sink = None

    def attach(self, sink: EventSink) -> None:
        """Pass the kept events and all later ones to `sink`."""
        with self._lock:
            kept, self._kept, self._sink = self._kept, [], sink
            for event in kept:
                sink(event)


class RunLink:
    """A project whose process may outlive the attempt that started it.

    An attempt ends when the run waits for a person. The next one continues with the process, if that still
    waits for the answer. `spec`, `code` and `control` are those of the newest attempt.
    """

    def __init__(self, spec: RunSpec, code: ProjectCode, sink: EventSink, control: RunControl) -> None:
        self.spec, self.code, self.control = spec, code, control
        self.sink = AttachedSink(sink)
        self.task: asyncio.Task[Outcome] | None = None
        """Runs the project to its outcome."""
        self.can_continue: Callable[[RunSpec], bool] = lambda _: False
        """Whether the waiting process continues with the spec of another attempt."""
        self._needed: NeedsHuman | None = None
        self._changed = asyncio.Event()
        self._attached = asyncio.Event()

    @property
    def task_is_done(self) -> bool:
        return self.task is not None and self.task.done()

    @property
    def run_id(self) -> str:
        return self.spec.run_id

    async def wait_outcome(self) -> Outcome:
        """Return the project's outcome, or what it waits for. Cancelled, it ends the project."""
        assert self.task is not None  # noqa: S101 - it is set at once
        changed = asyncio.ensure_future(self._changed.wait())
        try:
            await asyncio.wait([self.task, changed], return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            await self.end()
            raise
        finally:
            changed.cancel()
        if not self.task.done() and self._needed is not None:
            return self._needed
        return await self.task

    async def suspend(self, needed: NeedsHuman) -> None:
        """End the attempt with what the project waits for, and wait until another one is attached."""
        self.sink.detach()
        self._attached.clear()
        self._needed = needed
        self._changed.set()
        await self._attached.wait()

    def attach(self, spec: RunSpec, code: ProjectCode, sink: EventSink, control: RunControl) -> None:
        """Let another attempt continue with the process."""
        self.spec, self.code, self.control = spec, code, control
        self._needed = None
        self._changed.clear()
        self.sink.attach(sink)
        self._attached.set()

    async def end(self) -> None:
        """End the project, and wait until nothing of it is left."""
        if self.task is not None:
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)


@dataclass(frozen=True, slots=True)
class StopAfterStep:
    """Receives stops that wait for the current step. Messages to agents are not delivered to projects."""

    request: Callable[[], None]

    def stop(self, mode: StopMode, age_seconds: float) -> None:
        del age_seconds
        if mode is StopMode.AFTER_STEP:
            self.request()

    def send_message(self, message: UserMessage) -> None:
        """Leave the message undelivered."""

    def limit_spending(self, refusal: RunFailure | None) -> None:
        """Do nothing: the gateway reads the control itself."""
