"""Runs on real sessions: a process of parts with a scripted executor, opened without its lifespan."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.principal import BUILTIN_WORKSPACE, Principal, Scope
from crewai_runner.core.settings import LocalModelMode, Settings
from crewai_runner.db.session import pop_notifications, read_session, unit_of_work
from crewai_runner.db.tables.catalog import ModelRow, ProviderRow
from crewai_runner.db.tables.runs import RunRow
from crewai_runner.db.tables.workspaces import WorkspaceRow
from crewai_runner.domain.run import RunFailure
from crewai_runner.domain.run_event_payloads import (
    LlmCompletedData,
    LlmFailedData,
    TaskCompletedData,
    TaskStartedData,
)
from crewai_runner.domain.run_events import (
    RUN_EVENT,
    LlmCompleted,
    LlmFailed,
    RunEvent,
    TaskCompleted,
    TaskStarted,
)
from crewai_runner.domain.usage import Cost, Usage
from crewai_runner.domain.workflow import AgentDefinition, TaskDefinition, WorkflowDefinition
from crewai_runner.executor.port import Executor
from crewai_runner.executor.scripted import ScriptedExecutor
from crewai_runner.features.approvals.service import ApprovalService
from crewai_runner.features.events.repository import EventRepository
from crewai_runner.features.executions.execution_deps import ExecutionDeps
from crewai_runner.features.executions.jobs import RunWorker
from crewai_runner.features.lifecycle.service import LifecycleService
from crewai_runner.features.runs.schemas import RunTaskRead
from crewai_runner.features.runs.service import NewRun, RunService
from crewai_runner.queue.in_process import InProcessQueue
from crewai_runner.wiring.container import Container

OWNER = Principal("owner", BUILTIN_WORKSPACE, frozenset(Scope))
STRANGERS = "ws_strangers"
STRANGER = Principal("stranger", STRANGERS, frozenset(Scope))
SECRET_KEY = Fernet.generate_key().decode()
CANARY = "canary-of-the-api-key-0123456789"
PATIENCE_SECONDS = 20.0
HOUR = timedelta(hours=1)
FAILURE = RunFailure(code="provider-auth", message="refused", task_key="research")

ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
ON_POSTGRESQL = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


def definition(name: str = "Tea", **changes: Any) -> WorkflowDefinition:
    """Two agents with one task each, unless others are given."""
    given: dict[str, Any] = {
        "agents": [
            AgentDefinition(key=key, role=key, goal="good", backstory="old")
            for key in ("researcher", "writer")
        ],
        "tasks": [task("research", "researcher"), task("report", "writer")],
    }
    return WorkflowDefinition(name=name, **given | changes)


def task(key: str, agent: str | None = "writer", **changes: Any) -> TaskDefinition:
    return TaskDefinition(key=key, description=f"Do {key}", expected_output="text", agent=agent, **changes)


def started(key: str, agent: str | None = None) -> TaskStarted:
    return TaskStarted(task_key=key, agent=agent, data=TaskStartedData(description="d"))


def completed(key: str, raw: str = "done", agent: str | None = None) -> TaskCompleted:
    return TaskCompleted(task_key=key, agent=agent, data=TaskCompletedData(raw=raw))


def call(
    tokens: int | None = 10, cost: str | None = "0.5", key: str = "research", agent: str = "researcher"
) -> LlmCompleted:
    """A model call that used so many tokens, half of them in the prompt."""
    half = None if tokens is None else tokens // 2
    rest = None if tokens is None or half is None else tokens - half
    usage = Usage(
        prompt_tokens=half,
        completion_tokens=rest,
        cached_tokens=0,
        total_tokens=tokens,
        llm_calls=1,
        cost=None if cost is None else Cost(amount=cost, currency="USD"),
    )
    data = LlmCompletedData(call_id="c", call=1, model="m", text="t", usage=usage, duration_ms=5)
    return LlmCompleted(task_key=key, agent=agent, data=data)


def failed_call(key: str = "research") -> LlmFailed:
    error = RunFailure(code="provider-auth", message="no")
    return LlmFailed(
        task_key=key, data=LlmFailedData(call_id="c", call=1, model="m", error=error, duration_ms=5)
    )


class RunHarness:
    """One process's container and short ways to use it; every call is a unit of work of its own."""

    def __init__(self, container: Container, queue: InProcessQueue) -> None:
        self.container, self.queue = container, queue
        self.execute = RunWorker(self.deps)

    @property
    def deps(self) -> ExecutionDeps:
        return self.container.provide(ExecutionDeps)

    @property
    def executor(self) -> ScriptedExecutor:
        assert isinstance(self.container.loader.executor, ScriptedExecutor)
        return self.container.loader.executor

    @executor.setter
    def executor(self, executor: Executor) -> None:
        self.container.loader.executor = executor

    @asynccontextmanager
    async def session(self) -> AsyncIterator[AsyncSession]:
        """As an endpoint's: committed at the end, then readers are rung."""
        async with unit_of_work(self.container.sessions) as session:
            yield session
        self.container.notifier.publish(pop_notifications(session))

    @asynccontextmanager
    async def transaction(self, run_id: str) -> AsyncIterator[tuple[RunRow, LifecycleService]]:
        """One transaction on one locked run."""
        async with self.session() as session:
            run = await RunService(session).lock_for_worker(run_id)
            assert run is not None
            yield run, LifecycleService(session, self.container.queue, self.container.mask)

    @asynccontextmanager
    async def rolled_back(self, run_id: str) -> AsyncIterator[tuple[RunRow, LifecycleService]]:
        """As `harness`, but the connection breaks before the commit."""
        with contextlib.suppress(ConnectionError):
            async with self.transaction(run_id) as opened:
                yield opened
                raise ConnectionError

    @asynccontextmanager
    async def approvals(self) -> AsyncIterator[ApprovalService]:
        async with self.session() as session:
            yield ApprovalService(session, self.container.queue, self.container.mask)

    async def create(self, new: NewRun | None = None, principal: Principal = OWNER) -> str:
        """A run that is queued in the record and in the queue; its id."""
        async with self.session() as session:
            run = await RunService(session).create(principal, new or NewRun(definition(), {"topic": "tea"}))
            lifecycle = LifecycleService(session, self.container.queue, self.container.mask)
            await lifecycle.submit_first(run, "started")
            return run.id

    async def begun(self, new: NewRun | None = None) -> str:
        """A run at work, as after its worker took it; its fencing token is 1."""
        run_id = await self.create(new)
        async with self.transaction(run_id) as (run, lifecycle):
            await lifecycle.begin(run, "scripted 1", native=True)
        return run_id

    async def row(self, run_id: str) -> RunRow:
        async with read_session(self.container.sessions) as session:
            return await RunService(session).get_for_worker(run_id)

    async def tasks(self, run_id: str) -> dict[str, RunTaskRead]:
        async with read_session(self.container.sessions) as session:
            return {task.key: task for task in await RunService(session).list_tasks(run_id)}

    async def events(self, run_id: str) -> list[RunEvent]:
        """The stored story; its numbers are checked to have no gap."""
        async with read_session(self.container.sessions) as session:
            rows = await EventRepository(session).list_after(run_id, 0, 10_000)
        assert [row.seq for row in rows] == list(range(1, len(rows) + 1))
        return [RUN_EVENT.validate_json(row.frame) for row in rows]

    async def types(self, run_id: str) -> list[str]:
        return [event.type for event in await self.events(run_id)]

    async def waiting(self) -> int:
        """Jobs in the queue that nobody has taken."""
        return (await self.queue.stats()).waiting

    async def until(self, run_id: str, *states: str) -> RunRow:
        """Wait for a run's bell until it is in one of these states."""
        with self.container.notifier.subscribe(run_id) as subscription:
            while (run := await self.row(run_id)).state not in states:
                await asyncio.wait_for(subscription.changed.wait(), PATIENCE_SECONDS)
                subscription.changed.clear()
        return run


async def ask(
    harness: RunHarness, expires_in: timedelta = HOUR, run_id: str | None = None
) -> tuple[str, str]:
    """(run, approval) of a run that asks about its first task."""
    run_id = run_id or await harness.begun()
    async with harness.session() as session:
        run = await RunService(session).lock_for_worker(run_id)
        assert run is not None
        approvals = ApprovalService(session, harness.container.queue, harness.container.mask)
        asked = await approvals.request(run, "research", "researcher", "A proposal.", {"n": 1}, expires_in)
        return run.id, asked.id


def settings_for(database_url: str, data_dir: Path, **changes: Any) -> Settings:
    given: dict[str, Any] = {
        "database_url": database_url,
        "data_dir": data_dir,
        "api_key": CANARY,
        "secret_key": SECRET_KEY,
        "local_model": LocalModelMode.OFF,
    }
    return Settings(_env_file=None, **given | changes)


async def seed(container: Container) -> None:
    """Two workspaces, and a default model in the built-in one."""
    async with unit_of_work(container.sessions) as session:
        session.add(WorkspaceRow(id=BUILTIN_WORKSPACE, name="Default"))
        session.add(WorkspaceRow(id=STRANGERS, name="Strangers"))
        await session.flush()
        place = {
            "type": "openai_compatible",
            "base_url": "http://127.0.0.1:9/v1",
            "workspace_id": BUILTIN_WORKSPACE,
        }
        session.add(ProviderRow(id="prov_1", name="scripted", **place))
        await session.flush()
        model = {"type": "llm", "is_default": True, "workspace_id": BUILTIN_WORKSPACE}
        session.add(ModelRow(id="mdl_1", provider_id="prov_1", name="main", **model))


@asynccontextmanager
async def open_harness(
    database_url: str,
    data_dir: Path,
    executor: Executor | None = None,
    *,
    consume: bool = False,
    **settings: Any,
) -> AsyncIterator[RunHarness]:
    """An open process on a fresh database. Its queue takes no job by itself unless it is to `consume`."""
    queue = InProcessQueue()
    container = Container(
        settings_for(database_url, data_dir, **settings), executor=executor or ScriptedExecutor()
    )
    await seed(container)
    container.event_writer.start()
    await container.loader.load()
    harness = RunHarness(container, queue)
    await queue.start(harness.execute, consume=consume)
    container.queue.open(queue)
    try:
        yield harness
    finally:
        await queue.drain(0)
        await container.event_writer.close()
        await container.engine.dispose()
