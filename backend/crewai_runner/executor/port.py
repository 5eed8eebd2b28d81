"""The port between the product and the engine that runs a crew.

The worker passes a `RunSpec` and a `RunControl`, receives `RunEvent`s through a sink and one `Outcome`.
The executor emits every event from `task.started` to `warning.raised`; the worker derives the `run.*`,
`approval.*` and `artifact.*` events from the outcome.
"""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from pydantic import SecretStr

from crewai_runner.domain.budget import Budget, BudgetLimit
from crewai_runner.domain.model_settings import ModelSettings
from crewai_runner.domain.provider import ModelKind, ProviderType
from crewai_runner.domain.run import RunFailure, RunResult, StopMode, TaskResult
from crewai_runner.domain.run_events import RunEvent
from crewai_runner.domain.usage import Pricing, Usage
from crewai_runner.domain.workflow import WorkflowDefinition
from crewai_runner.executor.project_code import HumanQuestion, ProjectCode

EventSink = Callable[[RunEvent], None]
"""May be called from any thread; must not block or raise."""


@dataclass(frozen=True, slots=True)
class ModelBinding:
    """A model with everything needed to call it, its credentials included."""

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
    is_registered: bool = True
    """False for a model passed with a single run, whose name is arbitrary."""


@dataclass(frozen=True, slots=True)
class Revision:
    """A reviewer's request for changes: the previous answer and the feedback on it."""

    task_key: str
    previous: str
    feedback: str


@dataclass(frozen=True, slots=True)
class RunSpec:
    """The complete input of one attempt of a run."""

    run_id: str
    attempt: int
    definition: WorkflowDefinition
    inputs: Mapping[str, Any]
    models: Mapping[str, ModelBinding]
    default_model: str
    embedder: str | None = None
    """The embedding model of memory and knowledge; a key of `models`."""
    finished_tasks: Mapping[str, TaskResult] = field(default_factory=dict)
    """Results of earlier attempts by task key; these tasks are not executed again."""
    revision: Revision | None = None
    budget: Budget = field(default_factory=Budget)
    prior_usage: Usage = field(default_factory=Usage)
    """Usage of earlier attempts, which counts toward the budget."""
    budget_seconds_used: float = 0.0
    """Execution time of earlier attempts, which counts toward `budget.max_seconds`."""
    timeout_seconds: float | None = None
    timeout_seconds_used: float = 0.0
    """Execution time since a user last resumed the run, which counts toward `timeout_seconds`."""
    stream_tokens: bool = True
    memory_scope: str | None = None
    """Runs with the same scope (workspace and workflow) share memories; None: memories of this run only."""
    project: ProjectCode | None = None
    """The code to execute instead of the definition's crew, which has only its name and inputs."""
    alone: bool = False
    """Execute in a process that runs nothing else, if the executor has processes: see `AttemptLost`."""


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


class RunControl:
    """Thread-safe control of one running attempt: set by the worker, read by the executor.

    `flush` stores all events emitted so far; its future resolves when they are stored.
    """

    def __init__(self, flush: Callable[[], Future[None]] | None = None) -> None:
        self._lock = threading.Lock()
        self._flush = flush
        self._messages: list[UserMessage] = []
        self._on_stop: list[Callable[[], None]] = []
        self._receiver: RequestReceiver | None = None
        self.stop_mode: StopMode | None = None
        self.stopping_since: float | None = None
        """When the stop was requested, in seconds of `time.monotonic()`."""
        self.has_backlog = False
        """Whether too many events wait to be stored: no model is called before they are."""

    async def wait_until_stored(self) -> None:
        """Wait until the worker has stored all events emitted so far. May be called from any event loop."""
        if self._flush is not None:
            await asyncio.wrap_future(self._flush())

    def set_backlog(self, is_full: bool) -> None:
        self.has_backlog = is_full

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
    review: "NeedsHuman | None" = None
    """The answer that a task had finished, and that waits for its review when the run is resumed."""


@dataclass(frozen=True, slots=True)
class NeedsHuman:
    """The attempt ended to wait for a person; `task_key` is empty outside of tasks."""

    task_key: str
    agent: str
    output: str
    json_output: Any | None = None
    question: HumanQuestion | None = None


@dataclass(frozen=True, slots=True)
class OutOfBudget:
    """The attempt ended because a limit of the budget is used up."""

    limit: BudgetLimit
    usage: Usage
    seconds: float


Outcome = Completed | Failed | Stopped | NeedsHuman | OutOfBudget


class EngineState(StrEnum):
    LOADING = "loading"
    READY = "ready"
    FAILED = "failed"
    REMOTE = "elsewhere"
    """Crews run in the worker processes."""


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """State of the engine. `native` False: CrewAI's own agent executor is in use (see `message`)."""

    state: EngineState
    name: str = "crewai"
    version: str | None = None
    native: bool = False
    message: str | None = None


@dataclass(frozen=True, slots=True)
class ModelCompletion:
    text: str
    usage: Usage


class Executor(Protocol):
    """An engine that runs crews."""

    async def load(self) -> None:
        """Import the engine outside the event loop and run its self-test. Call once."""

    def status(self) -> EngineStatus: ...

    async def execute(self, spec: RunSpec, sink: EventSink, control: RunControl) -> Outcome:
        """Run one attempt to its outcome; a failure of the crew or a provider is an outcome.

        Waits until the engine is loaded. Cancelling the awaiting task stops the run at once.
        Raises AttemptLost when the process that executed the attempt is gone.
        """

    async def complete(
        self,
        model: ModelBinding,
        messages: Sequence[Mapping[str, str]],
        on_text: Callable[[str], Awaitable[None]] | None = None,
    ) -> ModelCompletion:
        """Make one model call outside a crew, again if it failed temporarily. Raises ModelCallFailed.

        `on_text` receives the text in pieces; a ReplacingText replaces those before it.
        """

    async def close(self) -> None:
        """Release what `load` started. No attempt is running any more."""


class ReplacingText(str):
    """A piece of streamed text that replaces all earlier text of the answer, which does not belong to it."""

    __slots__ = ()


class ModelCallFailed(Exception):
    """A model call outside a crew failed; carries a RunFailure."""

    def __init__(self, failure: RunFailure) -> None:
        super().__init__(failure.message)
        self.failure = failure
