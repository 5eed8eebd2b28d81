"""Ends or requeues runs whose job is gone, so that no run keeps an unfinished state for ever."""

from dataclasses import dataclass

from crewai_runner.core.logging import get_logger
from crewai_runner.db.session import read_session
from crewai_runner.domain.run import RunState
from crewai_runner.executor.port import Stopped
from crewai_runner.features.executions.endings import UNSETTLED_STATES, count_loss, settle
from crewai_runner.features.executions.execution_deps import ExecutionDeps
from crewai_runner.features.executions.run_transaction import RunTransaction, run_transaction
from crewai_runner.features.runs.schemas import RunAttempt
from crewai_runner.features.runs.service import RunService
from crewai_runner.queue.port import JobState

log = get_logger(__name__)
PAGE_SIZE = 500


@dataclass(frozen=True, slots=True)
class LostRuns:
    """Compares runs with their jobs. Safe in several processes at once: every change checks the run again."""

    deps: ExecutionDeps

    async def settle_all(self) -> int:
        """End or requeue every run whose job is neither queued nor running; return how many."""
        settled, last_id = 0, ""
        while page := await self._list_page(last_id):
            states = await self.deps.queue.states([attempt.job for attempt in page])
            for attempt in page:
                if attempt.job not in states:
                    settled += await self._settle(attempt)
            last_id = page[-1].run_id
        return settled

    async def stop_without_worker(self, run_id: str) -> None:
        """Finish the stop of a run that no worker runs."""
        async with read_session(self.deps.sessions) as session:
            attempt = await RunService(session).get_attempt(run_id)
        if attempt is None or attempt.state is not RunState.STOPPING:
            return
        if attempt.job in self.deps.active_runs:
            return
        states = await self.deps.queue.states([attempt.job])
        if states.get(attempt.job) is not JobState.RUNNING:
            await self._settle(attempt)

    async def _list_page(self, after: str) -> list[RunAttempt]:
        async with read_session(self.deps.sessions) as session:
            return await RunService(session).list_attempts(UNSETTLED_STATES, after, PAGE_SIZE)

    async def _settle(self, attempt: RunAttempt) -> bool:
        """Settle the run, unless it has changed since `attempt` was read."""
        async with run_transaction(self.deps, attempt.run_id) as transaction:
            if transaction is None or RunAttempt.of(transaction.run) != attempt:
                return False
            log.warning("run.job_lost", run_id=attempt.run_id, state=attempt.state)
            await self._end_or_requeue(transaction)
        return True

    async def _end_or_requeue(self, transaction: RunTransaction) -> None:
        run, settings = transaction.run, self.deps.settings
        if run.state == RunState.STOPPING:
            await settle(transaction, Stopped(), settings)
            return
        crashed = await count_loss(transaction, settings) if run.state == RunState.RUNNING else None
        if crashed is None:
            await transaction.lifecycle.recover(run)
        else:
            await settle(transaction, crashed, settings)
