"""A transaction on one locked run, as workers use it."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from crewai_runner.core.secret_mask import TextMask
from crewai_runner.db.session import pop_notifications, unit_of_work
from crewai_runner.db.tables.runs import RunRow
from crewai_runner.features.approvals.service import ApprovalService
from crewai_runner.features.executions.execution_deps import ExecutionDeps
from crewai_runner.features.lifecycle.service import LifecycleService
from crewai_runner.features.runs.service import RunService


@dataclass(slots=True)
class RunTransaction:
    """The locked run of one transaction, and the services that work in it."""

    run: RunRow
    runs: RunService
    lifecycle: LifecycleService
    approvals: ApprovalService
    mask: TextMask
    """Masks the secrets of the run and its workspace."""


@contextlib.asynccontextmanager
async def run_transaction(deps: ExecutionDeps, run_id: str) -> AsyncIterator[RunTransaction | None]:
    """A transaction with the run locked, None if it does not exist; notifies after the commit."""
    async with unit_of_work(deps.sessions) as session:
        runs = RunService(session)
        run = await runs.lock_for_worker(run_id)
        if run is None:
            yield None
        else:
            lifecycle = LifecycleService(session, deps.queue, deps.mask)
            approvals = ApprovalService(session, deps.queue, deps.mask)
            mask = deps.mask.scoped(run.workspace_id, run.id)
            yield RunTransaction(run, runs, lifecycle, approvals, mask)
    deps.notifier.publish(pop_notifications(session))
    if run is None:
        deps.inline_providers.forget(run_id)
