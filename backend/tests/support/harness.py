"""The test harness: a process's container with a scripted executor and an in-process queue, not served.

`open_harness` opens one on a migrated database; the fixture `harness` (see `tests/plugin.py`) does so for
each test. Its methods are shortcuts that each run in their own transaction, as an endpoint would.
"""

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.principal import BUILTIN_WORKSPACE, Principal
from crewai_runner.core.setting_choices import LocalModelMode
from crewai_runner.core.settings import Settings
from crewai_runner.db.insert import insert_if_absent
from crewai_runner.db.session import pop_notifications, read_session, unit_of_work
from crewai_runner.db.tables.catalog import ModelRow, ProviderRow
from crewai_runner.db.tables.runs import RunRow
from crewai_runner.db.tables.workspaces import WorkspaceRow
from crewai_runner.domain.run_events import RUN_EVENT, RunEvent
from crewai_runner.executor.port import Executor, NeedsHuman
from crewai_runner.executor.scripted import ScriptedExecutor
from crewai_runner.features.approvals.approval_list import ApprovalListService
from crewai_runner.features.approvals.schemas import ApprovalPage
from crewai_runner.features.approvals.service import ApprovalService
from crewai_runner.features.executions.execution_deps import ExecutionDeps
from crewai_runner.features.executions.jobs import RunWorker
from crewai_runner.features.lifecycle.service import LifecycleService
from crewai_runner.features.runs.schemas import RunTaskRead
from crewai_runner.features.runs.service import NewRun, RunService
from crewai_runner.queue.in_process import InProcessQueue
from crewai_runner.wiring.container import Container
from tests.support.builders import definition
from tests.support.environment import MISSING_FRONTEND_DIR
from tests.support.principals import OTHER_WORKSPACE, OWNER

# No text of a test ends with its beginning: live text would be held back as the beginning of a secret.
SECRET_KEY = base64.urlsafe_b64encode(b"\xff" * 32).decode()
API_KEY = "canary-of-the-api-key-0123456789"
TIMEOUT_SECONDS = 20.0
FIRST_OUTPUT = NeedsHuman("research", "researcher", "A proposal.", {"n": 1})
HOUR = timedelta(hours=1)

ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
ON_POSTGRESQL = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


class RunHarness:
    """A container with shortcuts for tests; every call is its own transaction."""

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
        """A session as an endpoint has it: committed at the end, then subscribers are notified."""
        async with unit_of_work(self.container.sessions) as session:
            yield session
        self.container.notifier.publish(pop_notifications(session))

    @asynccontextmanager
    async def transaction(self, run_id: str) -> AsyncIterator[tuple[RunRow, LifecycleService]]:
        """A transaction on one locked run."""
        async with self.session() as session:
            run = await RunService(session).lock_for_worker(run_id)
            assert run is not None
            yield run, LifecycleService(session, self.container.queue, self.container.mask)

    @asynccontextmanager
    async def transaction_rolled_back(self, run_id: str) -> AsyncIterator[tuple[RunRow, LifecycleService]]:
        """Like `transaction`, but the connection breaks before the commit."""
        with contextlib.suppress(ConnectionError):
            async with self.transaction(run_id) as opened:
                yield opened
                raise ConnectionError

    @asynccontextmanager
    async def approvals(self) -> AsyncIterator[ApprovalService]:
        async with self.session() as session:
            yield ApprovalService(session, self.container.queue, self.container.mask)

    async def create(self, new: NewRun | None = None, principal: Principal = OWNER) -> str:
        """Create and queue a run; returns its id."""
        async with self.session() as session:
            run = await RunService(session).create(principal, new or NewRun(definition(), {"topic": "tea"}))
            lifecycle = LifecycleService(session, self.container.queue, self.container.mask)
            await lifecycle.queue_attempt(run, "started")
            return run.id

    async def create_running(self, new: NewRun | None = None) -> str:
        """Create a running run, as after a worker took it (fencing token 1); returns its id."""
        run_id = await self.create(new)
        async with self.transaction(run_id) as (run, lifecycle):
            await lifecycle.begin(run, "scripted 1", native=True)
        return run_id

    async def get_run(self, run_id: str) -> RunRow:
        async with read_session(self.container.sessions) as session:
            return await RunService(session).get_for_worker(run_id)

    async def tasks(self, run_id: str) -> dict[str, RunTaskRead]:
        async with read_session(self.container.sessions) as session:
            return {task.key: task for task in await RunService(session).list_tasks(run_id)}

    async def events(self, run_id: str) -> list[RunEvent]:
        """The stored events, checked to be numbered without gaps."""
        frames = await self.container.feeds.read_frames(run_id, 0, 10_000)
        assert [frame.seq for frame in frames] == list(range(1, len(frames) + 1))
        return [RUN_EVENT.validate_json(frame.text) for frame in frames]

    async def event_types(self, run_id: str) -> list[str]:
        return [event.type for event in await self.events(run_id)]

    async def list_approvals(
        self,
        run_id: str | None = None,
        state: str | None = None,
        *,
        principal: Principal = OWNER,
        limit: int = 10,
        cursor: str | None = None,
    ) -> ApprovalPage:
        service = ApprovalListService(self.container.reader)
        return ApprovalPage.model_validate_json(
            await service.list_page(principal, state, run_id, limit, cursor)
        )

    async def count_queued(self) -> int:
        """The number of queued jobs that no worker has taken."""
        return (await self.queue.stats()).waiting

    async def wait_for_state(self, run_id: str, *states: str) -> RunRow:
        """Wait until the run is in one of these states."""
        with self.container.notifier.subscribe(run_id) as subscription:
            while (run := await self.get_run(run_id)).state not in states:
                await asyncio.wait_for(subscription.changed.wait(), TIMEOUT_SECONDS)
                subscription.changed.clear()
        return run


async def request_approval(
    harness: RunHarness,
    expires_in: timedelta = HOUR,
    run_id: str | None = None,
    review: NeedsHuman = FIRST_OUTPUT,
) -> tuple[str, str]:
    """Create an approval request, for a run's first task by default; returns the ids of run and approval."""
    run_id = run_id or await harness.create_running()
    async with harness.session() as session:
        run = await RunService(session).lock_for_worker(run_id)
        assert run is not None
        approvals = ApprovalService(session, harness.container.queue, harness.container.mask)
        approval = await approvals.request(run, review, expires_in)
        return run.id, approval.id


class GivenSettings(Settings):
    """Settings from arguments alone: reading the environment takes longer than opening a database."""

    @classmethod
    def settings_customise_sources(
        cls, _settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource, **_: Any
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


def make_settings(database_url: str, data_dir: Path, **changes: Any) -> Settings:
    given: dict[str, Any] = {
        "database_url": database_url,
        "data_dir": data_dir,
        "api_key": API_KEY,
        "secret_key": SECRET_KEY,
        "local_model": LocalModelMode.OFF,
        "frontend_dir": MISSING_FRONTEND_DIR,
    }
    return GivenSettings(**given | changes)


async def seed_workspaces(session: AsyncSession) -> None:
    """Insert the built-in workspace and a second one, unless they exist."""
    for workspace_id, name in ((BUILTIN_WORKSPACE, "Default"), (OTHER_WORKSPACE, "Strangers")):
        values = {"id": workspace_id, "name": name}
        await session.execute(insert_if_absent(session, WorkspaceRow, values))


async def seed_default_model(session: AsyncSession) -> None:
    """Insert a provider and a default model into the built-in workspace."""
    fields = {
        "type": "openai_compatible",
        "base_url": "http://127.0.0.1:9/v1",
        "workspace_id": BUILTIN_WORKSPACE,
    }
    session.add(ProviderRow(id="prov_1", name="scripted", **fields))
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
    seed_models: bool = True,
    **settings: Any,
) -> AsyncIterator[RunHarness]:
    """Open a harness on a migrated database.

    The queue starts jobs by itself only with `consume`. `seed_models` registers a default model. Further
    keyword arguments are settings.
    """
    queue = InProcessQueue()
    container = Container(
        make_settings(database_url, data_dir, **settings), executor=executor or ScriptedExecutor()
    )
    async with unit_of_work(container.sessions) as session:
        await seed_workspaces(session)
        if seed_models:
            await seed_default_model(session)
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
        await container.writer.close()
        await container.reader.close()
        await container.engine.dispose()
