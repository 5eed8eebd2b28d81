"""Runs workflows with the real CrewAI against a scripted provider."""

import asyncio
import itertools
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr

from crewai_runner.domain.model_settings import ModelSettings
from crewai_runner.domain.provider import ModelKind, ProviderType
from crewai_runner.domain.run_events import RUN_EVENT, RunEvent
from crewai_runner.domain.usage import Pricing
from crewai_runner.domain.workflow import AgentDefinition, ProcessKind, TaskDefinition, WorkflowDefinition
from crewai_runner.executor.port import Executor, ModelBinding, Outcome, RunControl, RunSpec
from crewai_runner.executor.tools.builtin import bind_builtins
from crewai_runner.features.tools.service import list_tool_names
from tests.support.scripted_provider import ScriptedProvider

SECRET_CANARY = "sk-canary-0123456789abcdef"
_run_numbers = itertools.count(1)


def agent(key: str = "writer", **settings: Any) -> AgentDefinition:
    return AgentDefinition(key=key, role=f"{key} role", goal="do well", backstory="an expert", **settings)


def task(key: str = "draft", agent: str | None = "writer", **settings: Any) -> TaskDefinition:
    options = {"description": f"Do {key}", "expected_output": "a text", **settings}
    return TaskDefinition(key=key, agent=agent, **options)


def workflow(
    agents: Sequence[AgentDefinition] | None = None,
    tasks: Sequence[TaskDefinition] | None = None,
    **settings: Any,
) -> WorkflowDefinition:
    """By default, one agent with one task."""
    return WorkflowDefinition(
        name="crew", agents=list(agents or [agent()]), tasks=list(tasks or [task()]), **settings
    )


def sequential_workflow() -> WorkflowDefinition:
    """Two agents with one task each, in sequence."""
    return workflow([agent("writer"), agent("editor")], [task("draft"), task("edit", "editor")])


def parallel_workflow(**settings: Any) -> WorkflowDefinition:
    """Two parallel tasks and a third one that uses both results."""
    both = [task("left", "writer", async_execution=True), task("right", "editor", async_execution=True)]
    join = task("join", "writer", context=["left", "right"])
    return workflow([agent("writer"), agent("editor")], [*both, join], **settings)


def hierarchical_workflow(**settings: Any) -> WorkflowDefinition:
    """A manager created by CrewAI with one coworker."""
    return workflow([agent("writer")], [task("draft", None)], process=ProcessKind.HIERARCHICAL, **settings)


@dataclass
class Recorder:
    """The events and the outcome of a run."""

    events: list[RunEvent] = field(default_factory=list)
    outcome: Outcome | None = None
    control: RunControl = field(default_factory=RunControl)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def sink(self, event: RunEvent) -> None:
        with self._lock:
            self.events.append(event)

    @property
    def types(self) -> list[str]:
        """The event types in order, without chunks."""
        return [event.type for event in self.events if event.type != "llm.chunk"]

    def all(self, event_type: str) -> list[Any]:
        return [event for event in self.events if event.type == event_type]

    def one(self, event_type: str) -> Any:
        """Return the event of this type; fail unless there is exactly one."""
        (event,) = self.all(event_type)
        return event

    def as_text(self) -> str:
        """Everything that left the executor."""
        events = [RUN_EVENT.dump_json(event).decode() for event in self.events]
        return "\n".join([*events, repr(self.outcome)])


class EngineHarness:
    """Runs workflows on one executor whose models are served by one provider."""

    def __init__(self, executor: Executor, provider: ScriptedProvider) -> None:
        self.executor = executor
        self.provider = provider

    def model(self, name: str = "main", **settings: Any) -> ModelBinding:
        options: dict[str, Any] = {
            "provider_name": "Scripted",
            "provider_type": ProviderType.OPENAI_COMPATIBLE,
            "model": "test-model",
            "base_url": self.provider.base_url,
            "api_key": SecretStr(SECRET_CANARY),
            "settings": ModelSettings(max_retries=0, timeout_seconds=30),
            "pricing": Pricing(input_per_million="1", output_per_million="2"),
            **settings,
        }
        return ModelBinding(name=name, **options)

    def embedder(self) -> ModelBinding:
        return self.model("embedder", kind=ModelKind.EMBEDDER, model="embedding-model")

    def spec(self, definition: WorkflowDefinition | None = None, **settings: Any) -> RunSpec:
        models = settings.pop("models", None) or [self.model()]
        options: dict[str, Any] = {"inputs": {}, "default_model": models[0].name, "stream_tokens": False}
        options["embedder"] = definition.embedder if definition else None
        options["tools"] = bind_builtins(list_tool_names(definition)) if definition else {}
        options |= settings
        return RunSpec(
            run_id=options.pop("run_id", f"run-{next(_run_numbers)}"),
            attempt=1,
            definition=definition or workflow(),
            models={model.name: model for model in models},
            **options,
        )

    async def run(self, definition: WorkflowDefinition | None = None, **settings: Any) -> Recorder:
        """Run a workflow to its outcome."""
        return await self.run_spec(self.spec(definition, **settings))

    async def run_spec(self, spec: RunSpec, control: RunControl | None = None) -> Recorder:
        """Run an attempt to its outcome."""
        recorder = Recorder()
        recorder.control = control or recorder.control
        recorder.outcome = await self.executor.execute(spec, recorder.sink, recorder.control)
        return recorder

    def start(self, spec: RunSpec) -> tuple[Recorder, "asyncio.Task[Outcome]"]:
        """Run an attempt in a task."""
        recorder = Recorder()

        async def execute() -> Outcome:
            recorder.outcome = await self.executor.execute(spec, recorder.sink, recorder.control)
            return recorder.outcome

        return recorder, asyncio.ensure_future(execute())

    async def wait_for_requests(self, count: int) -> None:
        """Wait until the provider has received `count` model calls."""
        await asyncio.to_thread(self.provider.wait_for_requests, count)

    async def wait_for_disconnects(self, count: int) -> None:
        """Wait until the client has disconnected from `count` model calls."""
        await asyncio.to_thread(self.provider.wait_for_disconnects, count)


async def stop_after(
    harness: EngineHarness, recorder: Recorder, run: "asyncio.Task[Any]", requests: int
) -> float:
    """Stop the run once the provider has received `requests` calls; return the stop's duration in seconds.

    Fails if the run goes on although its calls hang for ever.
    """
    await harness.wait_for_requests(requests)
    requested_at = time.monotonic()
    recorder.control.stop()
    await asyncio.wait_for(run, 60)
    return time.monotonic() - requested_at
