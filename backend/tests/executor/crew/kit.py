"""A stage for runs of the real engine against a scripted provider."""

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
from tests.support.scripted_provider import ScriptedProvider

CANARY = "sk-canary-0123456789abcdef"
_numbers = itertools.count(1)


def agent(key: str = "writer", **settings: Any) -> AgentDefinition:
    return AgentDefinition(key=key, role=f"{key} role", goal="do well", backstory="an expert", **settings)


def task(key: str = "draft", agent: str | None = "writer", **settings: Any) -> TaskDefinition:
    given = {"description": f"Do {key}", "expected_output": "a text", **settings}
    return TaskDefinition(key=key, agent=agent, **given)


def workflow(
    agents: Sequence[AgentDefinition] | None = None,
    tasks: Sequence[TaskDefinition] | None = None,
    **settings: Any,
) -> WorkflowDefinition:
    """One agent with one task, unless others are given."""
    return WorkflowDefinition(
        name="crew", agents=list(agents or [agent()]), tasks=list(tasks or [task()]), **settings
    )


def chain() -> WorkflowDefinition:
    """Two agents, two tasks, one after the other."""
    return workflow([agent("writer"), agent("editor")], [task("draft"), task("edit", "editor")])


def crowd(**settings: Any) -> WorkflowDefinition:
    """Two tasks at the same time, then one that joins them."""
    both = [task("left", "writer", async_execution=True), task("right", "editor", async_execution=True)]
    join = task("join", "writer", context=["left", "right"])
    return workflow([agent("writer"), agent("editor")], [*both, join], **settings)


def hierarchy(**settings: Any) -> WorkflowDefinition:
    """A manager made by the engine, with one coworker."""
    return workflow([agent("writer")], [task("draft", None)], process=ProcessKind.HIERARCHICAL, **settings)


@dataclass
class Heard:
    """What a run told, and how it ended."""

    events: list[RunEvent] = field(default_factory=list)
    outcome: Outcome | None = None
    control: RunControl = field(default_factory=RunControl)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def sink(self, event: RunEvent) -> None:
        with self._lock:
            self.events.append(event)

    @property
    def types(self) -> list[str]:
        return [event.type for event in self.events if event.type != "llm.chunk"]

    def of(self, kind: str) -> list[Any]:
        return [event for event in self.events if event.type == kind]

    def one(self, kind: str) -> Any:
        (event,) = self.of(kind)
        return event

    def everything(self) -> str:
        """All that left the executor, as text."""
        told = [RUN_EVENT.dump_json(event).decode() for event in self.events]
        return "\n".join([*told, repr(self.outcome)])


class Stage:
    """Plays workflows on one executor with one provider behind its models."""

    def __init__(self, executor: Executor, provider: ScriptedProvider) -> None:
        self.executor = executor
        self.provider = provider

    def model(self, name: str = "main", **settings: Any) -> ModelBinding:
        given: dict[str, Any] = {
            "provider_name": "Scripted",
            "provider_type": ProviderType.OPENAI_COMPATIBLE,
            "model": "test-model",
            "base_url": self.provider.base_url,
            "api_key": SecretStr(CANARY),
            "settings": ModelSettings(max_retries=0, timeout_seconds=30),
            "pricing": Pricing(input_per_million="1", output_per_million="2"),
            **settings,
        }
        return ModelBinding(name=name, **given)

    def embedder(self) -> ModelBinding:
        return self.model("embedder", kind=ModelKind.EMBEDDER, model="embedding-model")

    def spec(self, definition: WorkflowDefinition | None = None, **settings: Any) -> RunSpec:
        models = settings.pop("models", None) or [self.model()]
        given: dict[str, Any] = {"inputs": {}, "default_model": models[0].name, "stream_tokens": False}
        given |= settings
        return RunSpec(
            run_id=given.pop("run_id", f"run-{next(_numbers)}"),
            attempt=1,
            definition=definition or workflow(),
            models={model.name: model for model in models},
            **given,
        )

    async def play(self, definition: WorkflowDefinition | None = None, **settings: Any) -> Heard:
        """Run to the end."""
        return await self.perform(self.spec(definition, **settings))

    async def perform(self, spec: RunSpec) -> Heard:
        heard = Heard()
        heard.outcome = await self.executor.execute(spec, heard.sink, heard.control)
        return heard

    def begin(self, spec: RunSpec) -> tuple[Heard, "asyncio.Task[Outcome]"]:
        """Start a run and leave it on its own."""
        heard = Heard()

        async def go() -> Outcome:
            heard.outcome = await self.executor.execute(spec, heard.sink, heard.control)
            return heard.outcome

        return heard, asyncio.ensure_future(go())

    async def requests(self, count: int) -> None:
        """Wait until the provider has seen so many model calls."""
        await asyncio.to_thread(self.provider.wait_for_requests, count)

    async def disconnects(self, count: int) -> None:
        """Wait until so many model calls were left by their client."""
        await asyncio.to_thread(self.provider.wait_for_disconnects, count)


async def stop_after(stage: Stage, heard: Heard, run: "asyncio.Task[Any]", requests: int) -> float:
    """Stop the run once the provider has seen so many calls; returns the seconds the stop took."""
    await stage.requests(requests)
    asked = time.monotonic()
    heard.control.stop()
    await asyncio.wait_for(run, 10)
    return time.monotonic() - asked
