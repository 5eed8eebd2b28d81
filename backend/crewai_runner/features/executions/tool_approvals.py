"""Asks people about the calls of one attempt's tools, and stores results that must not be computed twice."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import Future
from datetime import timedelta
from typing import Any, TypeVar

from crewai_runner.core.logging import get_logger
from crewai_runner.core.waiting import wait_event
from crewai_runner.db.session import read_session, with_retry
from crewai_runner.db.transaction_writer import WriteTransaction
from crewai_runner.domain.run import RunState
from crewai_runner.executor.port import RunControl
from crewai_runner.executor.tool_requests import ToolAction, ToolDecision, ToolRequest, ToolResult
from crewai_runner.features.approvals.service import ApprovalService
from crewai_runner.features.executions.event_batch import owns_run
from crewai_runner.features.executions.execution_deps import ExecutionDeps
from crewai_runner.features.executions.rules import TOOL_RESULT_PREFIX
from crewai_runner.features.executions.run_transaction import run_transaction
from crewai_runner.features.runs.writes import RunWrites
from crewai_runner.stream.notifier import control_topic

log = get_logger(__name__)
SWEEP_SECONDS = 2.0
"""A notification from another process can be lost."""
_Answer = TypeVar("_Answer")


class ToolApprovals:
    """Serves the control of the attempt. Create it in the worker's event loop."""

    def __init__(self, deps: ExecutionDeps, run_id: str, fencing_token: int, control: RunControl) -> None:
        self._deps, self._run_id, self._token = deps, run_id, fencing_token
        self._loop = asyncio.get_running_loop()
        self._open: set[Future[Any]] = set()
        control.ask, control.save = self.ask, self.save

    def ask(self, request: ToolRequest) -> Future[ToolDecision]:
        """Ask a person for a call, or return what was decided about it before."""
        return self._begin(self._ask(request))

    def save(self, result: ToolResult) -> Future[None]:
        """Store the result of a call; resolves when it is stored."""
        return self._begin(self._save(result))

    def close(self) -> None:
        """End all waiting: the attempt has ended."""
        for future in list(self._open):
            future.cancel()

    def _begin(self, work: Coroutine[Any, Any, _Answer]) -> Future[_Answer]:
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        self._open.add(future)
        future.add_done_callback(self._open.discard)
        return future

    async def _ask(self, request: ToolRequest) -> ToolDecision:
        await self._deps.event_writer.flush()  # the start of the call comes before the request
        with self._deps.notifier.subscribe(control_topic(self._run_id)) as changes:
            decision = await with_retry(lambda: self._request(request))
            while decision is None:
                await wait_event(changes.changed, SWEEP_SECONDS)
                changes.changed.clear()
                decision = await with_retry(lambda: self._read(request.key))
            return decision

    async def _request(self, request: ToolRequest) -> ToolDecision | None:
        expires_in = timedelta(hours=self._deps.settings.approval_expires_hours)
        async with run_transaction(self._deps, self._run_id) as transaction:
            if transaction is None or transaction.run.fencing_token != self._token:
                return ToolDecision(ToolAction.DENY)
            if transaction.run.state != RunState.RUNNING:
                return ToolDecision(ToolAction.DENY)
            return await transaction.approvals.tool_calls.request(transaction.run, request, expires_in)

    async def _read(self, key: str) -> ToolDecision | None:
        deps = self._deps
        async with read_session(deps.sessions) as session:
            approvals = ApprovalService(session, deps.queue, deps.mask)
            return await approvals.tool_calls.find_decision(self._run_id, key)

    async def _save(self, result: ToolResult) -> None:
        def save(transaction: WriteTransaction) -> None:
            runs = RunWrites(transaction.connection)
            if owns_run(runs.lock_to_end(self._run_id), self._token):
                value = {"tool": result.tool, "text": result.text}
                runs.save_checkpoint(self._run_id, f"{TOOL_RESULT_PREFIX}{result.key}", value)

        await self._deps.writer.run(save)
