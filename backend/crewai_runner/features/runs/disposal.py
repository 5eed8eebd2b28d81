"""Deletes runs that are over, with everything that belongs to them."""

from collections.abc import Sequence
from datetime import datetime

from crewai_runner.core.principal import Principal
from crewai_runner.db.session import Sessions, unit_of_work
from crewai_runner.domain.run import FINAL_STATES, RunState
from crewai_runner.features.runs.errors import RunStillActive
from crewai_runner.features.runs.repository import RunRepository, matching
from crewai_runner.features.runs.service import RunService

BATCH = 200
"""Runs deleted in one transaction: others may write in between."""


class RunDisposal:
    """Needs its own transactions: many runs have very many events."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def delete(self, principal: Principal, run_id: str) -> None:
        """One run. Raises RunNotFound, RunStillActive (409)."""
        async with unit_of_work(self._sessions) as session:
            run = await RunService(session).get(principal, run_id, lock=True)
            if RunState(run.state) not in FINAL_STATES:
                raise RunStillActive(
                    f"The run is {run.state}; stop it first.", run_id=run_id, state=run.state
                )
            await RunRepository(session).delete([run_id])

    async def delete_finished(
        self, principal: Principal, states: Sequence[str], before: datetime | None
    ) -> int:
        """All that are over and match; how many those were. Cut short, it goes on when asked again."""
        deleted = 0
        while gone := await self._delete_some(principal, states, before):
            deleted += gone
        return deleted

    async def _delete_some(self, principal: Principal, states: Sequence[str], before: datetime | None) -> int:
        async with unit_of_work(self._sessions) as session:
            runs = RunRepository(session)
            conditions = matching(states=states, until=before)
            ids = await runs.take_finished(principal.workspace_id, conditions, BATCH)
            if ids:
                await runs.delete(ids)
            return len(ids)
