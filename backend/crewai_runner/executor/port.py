"""The port between the product and the engine that runs a crew.

The worker passes a `RunSpec` and a `RunControl`, receives `RunEvent`s through a sink and one `Outcome`.
The executor emits every event from `task.started` to `warning.raised`; the worker derives the `run.*`,
`approval.*` and `artifact.*` events from the outcome.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from pydantic import SecretStr

from crewai_runner.core.keyring import secret_parts
from crewai_runner.domain.budget import Budget, BudgetLimit
from crewai_runner.domain.model_settings import ModelSettings
from crewai_runner.domain.network_access import NetworkAccess
from crewai_runner.domain.provider import ModelKind, ProviderType
from crewai_runner.domain.run import RunFailure, RunResult, TaskResult
from crewai_runner.domain.run_events import RunEvent
from crewai_runner.domain.usage import Pricing, Usage
from crewai_runner.domain.workflow import WorkflowDefinition
from crewai_runner.executor.knowledge_chunks import KnowledgeChunk
from crewai_runner.executor.memory_records import StoredMemory
from crewai_runner.executor.project_code import HumanQuestion, ProjectCode
from crewai_runner.executor.run_control import RequestReceiver, RunControl, UserMessage
from crewai_runner.executor.run_files import StoredFile
from crewai_runner.executor.tool_binding import ToolBinding

__all__ = ["RequestReceiver", "RunControl", "UserMessage"]
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
    tools: Mapping[str, ToolBinding] = field(default_factory=dict)
    """The tools that the definition names, by name."""
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
    memories: Sequence[StoredMemory] = ()
    """What earlier runs of the scope remember."""
    knowledge: Sequence[KnowledgeChunk] = ()
    """Pieces of the workflow's files, which all agents may search."""
    tool_results: Mapping[str, str] = field(default_factory=dict)
    """Results of calls that earlier attempts made in tasks that have not finished, by key."""
    tool_wait_seconds: float = 600.0
    """How long the attempt waits for a person who decides about a call, before it ends."""
    network_limit: NetworkAccess | None = None
    """What the workspace lets tools and the code of projects contact at most; None: it sets no limit."""
    files: Sequence[StoredFile] = ()
    """The files of the run for its tools: attached ones, and those of earlier attempts."""
    project: ProjectCode | None = None
    """The code to execute instead of the definition's crew, which has only its name and inputs."""
    alone: bool = False
    """Execute in a process that runs nothing else, if the executor has processes: see `AttemptLost`."""


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
    tool_call: str | None = None
    """The key of the call of a tool that a person has been asked for, and nothing else is asked."""


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

    async def embed(self, model: ModelBinding, texts: Sequence[str]) -> list[list[float]]:
        """Return the embedding of each text, outside a crew. Raises ModelCallFailed."""

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


def list_secrets(spec: RunSpec) -> list[str]:
    """Return the texts to mask in everything that leaves the run: the credentials of models and tools."""
    tool_secrets = (secret for tool in spec.tools.values() for secret in tool.secrets.values())
    return secret_parts(*(model.api_key for model in spec.models.values()), *tool_secrets)
