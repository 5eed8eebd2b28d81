"""Budgets over random histories of stops, kills, hand-backs, approvals and resumes, with the real engine.

The provider's own count of requests is the truth: the run counts each of them once and never makes more
than its budget allows.
"""

import asyncio
import functools
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crewai_runner.db.tables.catalog import ProviderRow
from crewai_runner.domain.budget import Budget
from crewai_runner.domain.run import StopMode
from crewai_runner.domain.run_events import RunEvent
from crewai_runner.executor.crew.executor import CrewExecutor
from crewai_runner.features.approvals.schemas import ApprovalResolve
from crewai_runner.features.executions.jobs import RunWorker
from crewai_runner.features.executions.schemas import ResumeBody
from crewai_runner.features.executions.service import ExecutionService
from crewai_runner.features.runs.service import NewRun
from crewai_runner.stream.notifier import control_topic
from tests.support.builders import definition, task
from tests.support.harness import ON_SQLITE, RunHarness, open_harness
from tests.support.principals import OWNER
from tests.support.scripted_provider import Fail, Hang, RecordedRequest, Say, ScriptedProvider, Usage

pytestmark = [pytest.mark.crew, pytest.mark.timeout(600)]
HISTORIES = 20
MAX_STEPS = 12


class KillableWorker(RunWorker):
    """A worker that can die: it stores nothing any more, and does not hand its run back."""

    def __init__(self, harness: RunHarness) -> None:
        super().__init__(harness.deps)
        self._is_dead = False
        writer = harness.container.event_writer
        self._open_sink = functools.partial(type(writer).open_sink, writer)
        writer.open_sink = self._open_mortal_sink  # type: ignore[method-assign]

    def kill(self) -> None:
        self._is_dead = True

    def _open_mortal_sink(self, *args: Any, **options: Any) -> Callable[[RunEvent], None]:
        emit = self._open_sink(*args, **options)

        def emit_alive(event: RunEvent) -> None:
            if not self._is_dead:
                emit(event)

        return emit_alive

    async def _requeue(self, begun: Any) -> None:
        if not self._is_dead:
            await super()._requeue(begun)


class History:
    """One run and what happens to it, chosen by a random generator."""

    def __init__(self, harness: RunHarness, provider: ScriptedProvider, seed: int) -> None:
        self._harness, self._provider = harness, provider
        self._random = random.Random(seed)
        self._hang_at = 0
        self.steps: list[str] = []
        self.reported_tokens = 0
        provider.on(self._reply)

    def _reply(self, request: RecordedRequest) -> Any:
        if request.number == self._hang_at:
            return Hang()
        if self._random.random() < 0.15:
            return Fail(500)
        if self._random.random() < 0.15:
            return Say("An answer.", report_usage=False)
        tokens = self._random.randint(1, 40)
        self.reported_tokens += tokens
        return Say("An answer.", usage=Usage(tokens, 0))

    async def play(self) -> str:
        """Create the run and continue it until it completes or its budget is used up; returns its id."""
        tasks = [task(f"t{n}", human_input=self._random.random() < 0.3) for n in range(4)]
        budget = Budget(max_llm_calls=self._random.randint(2, 9), max_tokens=self._random.randint(60, 200))
        run_id = await self._harness.create(NewRun(definition(tasks=tasks), {}, budget=budget))
        for _ in range(MAX_STEPS):
            run = await self._harness.get_run(run_id)
            self.steps.append(f"{run.state} {run.wait_reason or ''}")
            if run.state == "completed" or run.wait_reason == "budget":
                break
            if run.state in ("queued", "running"):
                await self._attempt(run_id, run.attempt)
            else:
                await self._continue(run_id, run.state)
        return run_id

    async def _attempt(self, run_id: str, attempt: int) -> None:
        end = self._random.choice(["undisturbed", "stop", "kill", "hand back"])
        made = len(self._provider.requests)
        self._hang_at = 0 if end == "undisturbed" else made + self._random.randint(1, 3)
        self.steps.append(f"{end} {self._hang_at - made}")
        worker = KillableWorker(self._harness)
        working = asyncio.create_task(worker(run_id, attempt))
        while not working.done() and not 0 < self._hang_at <= len(self._provider.requests):
            await asyncio.wait([working], timeout=0.01)
        if not working.done():
            await self._disturb(end, run_id, worker, working)
        await asyncio.wait([working])

    async def _disturb(self, end: str, run_id: str, worker: KillableWorker, working: Any) -> None:
        if end == "stop":
            async with self._harness.transaction(run_id) as (run, lifecycle):
                await lifecycle.request_stop(run, StopMode.NOW, "me")
            self._harness.container.notifier.publish([control_topic(run_id)])
            return
        if end == "kill":
            worker.kill()
        working.cancel()

    async def _continue(self, run_id: str, state: str) -> None:
        async with self._harness.approvals() as approvals:
            approval = await approvals.lock_open(run_id) if state == "waiting" else None
            if approval is not None:
                await approvals.resolve(OWNER, approval.id, ApprovalResolve(action="approve"))
                return
        async with self._harness.session() as session:
            await ExecutionService(session, self._harness.container).resume(OWNER, run_id, ResumeBody())


@ON_SQLITE
async def test_counts_are_those_of_the_provider(
    database_url: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    executor = CrewExecutor(tmp_path_factory.mktemp("engine"))
    async with open_harness(database_url, tmp_path, executor) as harness:
        for seed in range(HISTORIES):
            with ScriptedProvider() as provider:
                async with harness.session() as session:
                    row = await session.get(ProviderRow, "prov_1")
                    assert row is not None
                    row.base_url = provider.base_url
                history = History(harness, provider, seed)
                run = await harness.get_run(await history.play())
            events = await harness.events(run.id)

            context = f"seed {seed}: {history.steps}"
            assert run.llm_calls == len(provider.requests), context
            assert run.llm_calls <= (Budget.model_validate(run.budget).max_llm_calls or 0), context
            assert (run.total_tokens or 0) == history.reported_tokens, context
            begun = [event.data.call_id for event in events if event.type == "llm.started"]
            ended = [event.data.call_id for event in events if event.type in ("llm.completed", "llm.failed")]
            assert sorted(begun) == sorted(ended), context
