"""The port between the product and the engine that runs a crew.

The worker gives a `RunSpec` and a `RunControl`, hears `RunEvent`s through a sink, and gets one
`Outcome`. The executor emits everything from `task.started` down to `warning.raised`; the
`run.*`, `approval.*` and `artifact.*` events are the worker's, made from the outcome.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from pydantic import SecretStr

from crewai_runner.core.clock import now
from crewai_runner.domain.budget import Budget, BudgetLimit
from crewai_runner.domain.provider import ModelKind, ProviderType
from crewai_runner.domain.run import RunFailure, RunResult, StopMode, TaskResult
from crewai_runner.domain.run_events import RunEvent
from crewai_runner.domain.usage import Pricing, Usage
from crewai_runner.domain.workflow import ModelSettings, WorkflowDefinition

EventSink = Callable[[RunEvent], None]
"""Called from any thread; returns at once and never raises."""


@dataclass(frozen=True, slots=True)
class ModelBinding:
    """A registered model with all that is needed to call it. Carries its own credentials."""

    name: str
    provider_name: str
    provider_type: ProviderType
    model: str
    base_url: str | None = None
    api_key: SecretStr | None = None
    settings: ModelSettings = field(default_factory=ModelSettings)
    pricing: Pricing | None = None
    kind: ModelKind = ModelKind.LLM
    supports_tools: bool | None = None
    context_window: int | None = None
    registered: bool = True
    """False: given with one run, so that its name may be anything."""


@dataclass(frozen=True, slots=True)
class Revision:
    """A person asked for another go: the answer given before, and what to change."""

    task_key: str
    previous: str
    feedback: str


@dataclass(frozen=True, slots=True)
class RunSpec:
    """Everything one attempt of a run needs; nothing is read from anywhere else."""

    run_id: str
    attempt: int
    definition: WorkflowDefinition
    inputs: Mapping[str, Any]
    models: Mapping[str, ModelBinding]
    default_model: str
    finished: Mapping[str, TaskResult] = field(default_factory=dict)
    revision: Revision | None = None
    budget: Budget = field(default_factory=Budget)
    spent: Usage = field(default_factory=Usage)
    seconds_spent: float = 0.0
    """Work in earlier attempts: what the budget's seconds count."""
    seconds_timed: float = 0.0
    """Of those, the ones since a person last let the run go on: what its time limit counts."""
    timeout_seconds: float | None = None
    stream_tokens: bool = True
    memory_scope: str | None = None
    """Whose memories are shared, such as a workspace and workflow; None: this run's alone."""


@dataclass(frozen=True, slots=True)
class UserMessage:
    """A person's words for the agent at work, or for the one named."""

    message_id: str
    text: str
    agent: str | None = None


class RunControl:
    """A thread-safe handle on one running attempt: the worker turns it, the executor obeys."""

    def __init__(self, stored: Callable[[], Future[None]] | None = None) -> None:
        self._lock = threading.Lock()
        self._stored = stored
        self._messages: list[UserMessage] = []
        self._on_stop: list[Callable[[], None]] = []
        self.stop_mode: StopMode | None = None
        self.stop_requested_at: datetime | None = None

    async def all_stored(self) -> None:
        """Wait until everything told so far is stored by the worker; callable from any event loop."""
        if self._stored is not None:
            await asyncio.wrap_future(self._stored())

    @property
    def stopping(self) -> bool:
        """Whether everything must end now."""
        return self.stop_mode is StopMode.NOW

    def stop(self, mode: StopMode = StopMode.NOW) -> None:
        """Ask for a stop; a second call may sharpen `after-step` to `now`, never the reverse."""
        with self._lock:
            if self.stop_mode is StopMode.NOW:
                return
            self.stop_mode = mode
            self.stop_requested_at = self.stop_requested_at or now()
            listeners = list(self._on_stop) if mode is StopMode.NOW else []
        for listener in listeners:
            listener()

    def on_stop(self, listener: Callable[[], None]) -> None:
        """Call `listener` (from any thread, once) when the run must end now; at once if it must already."""
        with self._lock:
            self._on_stop.append(listener)
            call_now = self.stopping
        if call_now:
            listener()

    def send_message(self, message: UserMessage) -> None:
        with self._lock:
            self._messages.append(message)

    def take_messages(self, agent_key: str | None) -> list[UserMessage]:
        """Remove and return the messages for this agent: those addressed to it or to nobody."""
        with self._lock:
            mine = [m for m in self._messages if m.agent is None or m.agent == agent_key]
            self._messages = [m for m in self._messages if m not in mine]
        return mine


@dataclass(frozen=True, slots=True)
class Completed:
    result: RunResult


@dataclass(frozen=True, slots=True)
class Failed:
    failure: RunFailure


@dataclass(frozen=True, slots=True)
class Stopped:
    llm_calls_in_flight: int = 0
    llm_calls_after_stop: int = 0
    abandoned: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NeedsHuman:
    """The attempt ended to wait for a person; `output` is what the agent proposes."""

    task_key: str
    agent: str
    output: str
    json_output: Any | None = None


@dataclass(frozen=True, slots=True)
class OutOfBudget:
    """The attempt ended before a model call that the budget has no room for."""

    limit: BudgetLimit
    usage: Usage
    seconds: float


Outcome = Completed | Failed | Stopped | NeedsHuman | OutOfBudget


class EngineState(StrEnum):
    LOADING = "loading"
    READY = "ready"
    FAILED = "failed"
    ELSEWHERE = "elsewhere"
    """Crews run in other processes, the workers."""


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """What the engine can do now. `native` False: the stock executor runs (see `message`)."""

    state: EngineState
    name: str = "crewai"
    version: str | None = None
    native: bool = False
    message: str | None = None


@dataclass(frozen=True, slots=True)
class ModelAnswer:
    text: str
    usage: Usage


class Executor(Protocol):
    """An engine that runs crews."""

    async def load(self) -> None:
        """Make ready (import the engine off the event loop, check its contract). Call once."""

    def status(self) -> EngineStatus: ...

    async def execute(self, spec: RunSpec, sink: EventSink, control: RunControl) -> Outcome:
        """Run one attempt to its outcome; never raises for what the crew or a provider does.

        Waits for the engine to be loaded. Cancelling the awaiting task stops the run at once.
        """

    async def ask(
        self,
        model: ModelBinding,
        messages: Sequence[Mapping[str, str]],
        on_text: Callable[[str], Awaitable[None]] | None = None,
    ) -> ModelAnswer:
        """One plain model call outside any crew. Raises ModelCallFailed."""


class ModelCallFailed(Exception):
    """A model call outside a crew failed; carries a RunFailure."""

    def __init__(self, failure: RunFailure) -> None:
        super().__init__(failure.message)
        self.failure = failure
