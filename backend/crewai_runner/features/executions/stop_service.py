"""Stops runs."""

import asyncio
import contextlib
import itertools

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from crewai_runner.core.errors import Unavailable
from crewai_runner.core.principal import Principal
from crewai_runner.core.waiting import wait_event
from crewai_runner.db.audit_log import audited_unit_of_work
from crewai_runner.db.failures import find_storage_failure
from crewai_runner.db.session import pop_notifications, read_session, shielded, with_retry
from crewai_runner.db.tables.runs import RunRow
from crewai_runner.domain.audit_entry import get_entry
from crewai_runner.domain.run import FINAL_STATES, RunState, StopMode, StopReceipt
from crewai_runner.features.approvals.service import ApprovalService
from crewai_runner.features.executions.execution_deps import ExecutionDeps
from crewai_runner.features.executions.lost_runs import LostRuns
from crewai_runner.features.executions.schemas import StopAnswer
from crewai_runner.features.lifecycle.service import LifecycleService
from crewai_runner.features.runs.errors import RunAlreadyFinished
from crewai_runner.features.runs.service import RunService
from crewai_runner.http.problems import storage_error
from crewai_runner.stream.notifier import control_topic

POLL_SECONDS = 1.0
MAX_REQUESTS = 3


class StopService:
    """Stops runs in transactions of its own: the request must be committed before its effect is awaited."""

    def __init__(self, deps: ExecutionDeps) -> None:
        self._deps = deps

    async def stop(self, principal: Principal, identifier: str, mode: StopMode) -> StopAnswer:
        """Request a stop and wait for it, up to STOP_WAIT_SECONDS.

        Raises RunNotFound (404) and RunAlreadyFinished (409).
        """
        requests = itertools.count()
        try:
            run_id = await with_retry(
                lambda: self._request(principal, identifier, mode, is_repeated=next(requests) > 0),
                MAX_REQUESTS,
            )
        except DBAPIError as error:
            await self._stop_unstored(principal, identifier, mode, error)
            raise
        with contextlib.suppress(Unavailable, SQLAlchemyError):  # the worker or a periodic task does it then
            await LostRuns(self._deps).stop_without_worker(run_id)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._deps.settings.stop_wait_seconds):
                await self._wait_until_finished(run_id)
        async with read_session(self._deps.sessions) as session:
            run = await RunService(session).get(principal, run_id)
        receipt = None if run.receipt is None else StopReceipt.model_validate(run.receipt)
        return StopAnswer(
            workflow_id=run_id,
            run_id=run_id,
            status=RunState(run.state),
            message="The run is stopped."
            if receipt
            else "The run is stopping; the receipt follows as an event.",
            receipt=receipt,
        )

    async def _stop_unstored(
        self, principal: Principal, identifier: str, mode: StopMode, error: DBAPIError
    ) -> None:
        """Stop the crew although the request cannot be stored; the run ends when the disk takes writes again.

        Raises StorageFull or Unavailable; returns if the crew does not run in this process.
        """
        failure = find_storage_failure(error)
        if failure is None:
            return
        async with read_session(self._deps.sessions) as session:
            runs = RunService(session)
            run = await runs.get(principal, await runs.resolve(principal, identifier))
        control = self._deps.controls.get(run.id)
        if control is not None:
            control.stop(mode)
            done = "The crew was stopped. The run ends as soon as its events can be stored."
            raise storage_error(failure, done) from error

    async def _request(
        self, principal: Principal, identifier: str, mode: StopMode, *, is_repeated: bool
    ) -> str:
        """Stop a run that is not running, or ask its worker to stop it; return the run's id.

        A repeated request does nothing if an earlier one was stored and the answer of its commit was lost.
        """
        deps = self._deps
        async with audited_unit_of_work(deps.sessions) as session:
            runs = RunService(session)
            run = await runs.get_own(principal, await runs.resolve(principal, identifier), lock=True)
            get_entry().set_target("run", run.id)
            if is_repeated and _is_stop_stored(run, mode):
                return run.id
            if RunState(run.state) in FINAL_STATES:
                raise RunAlreadyFinished(f"The run is already {run.state}.", run_id=run.id, state=run.state)
            lifecycle = LifecycleService(session, deps.queue, deps.mask)
            if run.state in (RunState.QUEUED, RunState.WAITING):
                await ApprovalService(session, deps.queue, deps.mask).cancel(run)
                await lifecycle.stop(run)
            else:
                await lifecycle.request_stop(run, mode, principal.subject)
        deps.notifier.publish({*pop_notifications(session), control_topic(run.id)})
        if RunState(run.state) in FINAL_STATES:
            deps.inline_providers.forget(run.id)
        return run.id

    async def _wait_until_finished(self, run_id: str) -> None:
        with self._deps.notifier.subscribe(run_id) as subscription:
            while True:
                subscription.changed.clear()
                if await shielded(self._is_finished(run_id)):
                    return
                await wait_event(subscription.changed, POLL_SECONDS)

    async def _is_finished(self, run_id: str) -> bool:
        async with read_session(self._deps.sessions) as session:
            return await RunService(session).is_finished(run_id)


def _is_stop_stored(run: RunRow, mode: StopMode) -> bool:
    return run.state == RunState.STOPPED or (
        run.state == RunState.STOPPING and run.stop_mode in (mode, StopMode.NOW)
    )
