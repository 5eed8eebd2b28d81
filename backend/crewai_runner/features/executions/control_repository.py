"""What running crews must be told: stop requests and user messages."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.db.tables.runs import MessageRow, RunRow
from crewai_runner.domain.run import RunState, StopMode
from crewai_runner.executor.port import UserMessage
from crewai_runner.features.messages.schemas import MessageState
from crewai_runner.features.runs.service import RunService


@dataclass(slots=True)
class RunRequests:
    """The requests to one run, with the seconds since the stop was requested."""

    state: RunState
    stop_mode: StopMode | None
    stop_age_seconds: float = 0.0
    messages: list[UserMessage] = field(default_factory=list)
    """Those that no agent has received yet, oldest first."""


class ControlRepository:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def list_requests(self, run_ids: Collection[str]) -> Mapping[str, RunRequests]:
        """Return the requests to these runs by id, without runs that were deleted. One query for all."""
        is_queued = and_(MessageRow.run_id == RunRow.id, MessageRow.state == MessageState.QUEUED)
        query = select(
            RunRow.id,
            RunRow.state,
            RunRow.stop_mode,
            RunRow.stop_requested_at,
            MessageRow.id,
            MessageRow.text,
            MessageRow.agent,
        ).outerjoin(MessageRow, is_queued)
        rows = await self._session.execute(query.where(RunRow.id.in_(run_ids)).order_by(MessageRow.id))
        requests: dict[str, RunRequests] = {}
        for run_id, state, mode, since, message_id, text, agent in rows:
            if run_id not in requests:
                requested = requests[run_id] = RunRequests(
                    RunState(state), None if mode is None else StopMode(mode)
                )
                if since is not None:
                    time = await RunService(self._session).get_time()
                    requested.stop_age_seconds = max(0.0, (time - since).total_seconds())
            if message_id is not None:
                requests[run_id].messages.append(UserMessage(message_id, text, agent))
        return requests
