"""What the tools are built on: the services that the API has, with the same rights, quotas and audit rows."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.principal import Principal
from crewai_runner.core.secret_mask import SecretMask
from crewai_runner.db.audit_log import audited_unit_of_work
from crewai_runner.db.session import Sessions, pop_notifications
from crewai_runner.db.snapshot_reader import SnapshotReader
from crewai_runner.domain.run import StopMode
from crewai_runner.features.approvals.service import ApprovalService
from crewai_runner.features.executions.schemas import StopAnswer
from crewai_runner.features.executions.service import ExecutionService
from crewai_runner.features.mcp_endpoint.run_follower import OpenStream
from crewai_runner.features.mcp_endpoint.waiting_calls import WaitingCalls
from crewai_runner.features.runs.service import RunFilter
from crewai_runner.stream.notifier import Notifier

ListRuns = Callable[[Principal, RunFilter, int, str | None], Awaitable[bytes]]
"""Returns one page of runs as the JSON of a `RunPage`."""
StopRun = Callable[[Principal, str, StopMode], Awaitable[StopAnswer]]
ANSWER_SECONDS = 50.0
"""How long a call without progress waits: shorter than the usual timeout of clients and proxies (60 s)."""


@dataclass(frozen=True, slots=True)
class McpEndpointDeps:
    """Dependencies of the endpoint, built by the container."""

    sessions: Sessions
    publish: Callable[[Iterable[str]], None]
    reader: SnapshotReader
    notifier: Notifier
    mask: SecretMask
    executions: Callable[[AsyncSession], ExecutionService]
    approvals: Callable[[AsyncSession], ApprovalService]
    list_runs: ListRuns
    stop_run: StopRun
    open_stream: OpenStream
    wait_until_open: Callable[[], Awaitable[None]]
    answer_seconds: float = ANSWER_SECONDS
    waiting_calls: WaitingCalls = field(default_factory=WaitingCalls)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """A session that is committed at the end, with the audit entry of the request."""
        async with audited_unit_of_work(self.sessions) as session:
            yield session
        self.publish(pop_notifications(session))
