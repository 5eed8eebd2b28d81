"""Refuses further model calls to the runs of a workspace that has spent what it may in a month."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from sqlalchemy import Connection

from crewai_runner.domain.run_events import LlmCompleted, LlmFailed, RunEvent
from crewai_runner.domain.workspace_quota import Spending
from crewai_runner.executor.port import RunControl
from crewai_runner.features.workspaces.service import WorkspaceQuota


class SpendingGuard:
    """Counts what model calls cost with the events that report it, so that no crash loses or repeats it.

    Without a limit of spending no statement is executed.
    """

    def __init__(self, quota: WorkspaceQuota, controls: Mapping[str, RunControl]) -> None:
        """`controls` are those of the crews of this process, by run id."""
        self._quota, self._controls = quota, controls

    async def load(self) -> None:
        """Read the limits if they have changed. Call it before the transaction of `count`."""
        await self._quota.load()

    def count(
        self, connection: Connection, events: Iterable[tuple[str, Iterable[RunEvent]]]
    ) -> dict[str, Spending]:
        """Count the costs in events, given by workspace; return what the workspaces have spent.

        In the order of their ids, so that two processes do not wait for each other.
        """
        costs: dict[str, dict[str, Decimal]] = {}
        for workspace_id, of_run in events:
            _add_costs(costs.setdefault(workspace_id, {}), of_run)
        found = {
            workspace_id: self._quota.count_spending(connection, workspace_id, costs[workspace_id])
            for workspace_id in sorted(costs)
        }
        return {workspace_id: spending for workspace_id, spending in found.items() if spending is not None}

    def report(self, run_id: str, spending: Spending) -> None:
        """Let a running attempt know whether it may call models."""
        control = self._controls.get(run_id)
        if control is not None:
            control.limit_spending(spending.find_failure())


def _add_costs(costs: dict[str, Decimal], events: Iterable[RunEvent]) -> None:
    for event in events:
        if isinstance(event, LlmCompleted | LlmFailed) and (cost := event.data.usage.cost) is not None:
            costs[cost.currency] = costs.get(cost.currency, Decimal(0)) + cost.amount
