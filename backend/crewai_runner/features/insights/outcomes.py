"""What a finished run counts in the statistics, and how entries add up to totals. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from crewai_runner.db.tables.run_outcomes import OutcomeKind
from crewai_runner.domain.run import RunState
from crewai_runner.features.insights.rules import RunAggregate, start_of
from crewai_runner.features.runs.schemas import SelectedRow

COUNTS = (
    "completed",
    "failed",
    "stopped",
    "crashed",
    "unknown_tokens",
    "unknown_costs",
    "known_costs",
    "tokens",
    "cost_units",
    "cost_fraction",
)
COST_SCALE = 10**10
"""`cost_fraction` is in 1/COST_SCALE of a unit of the currency: whole numbers have exact sums."""
QUARTER, DAY = timedelta(minutes=15), timedelta(days=1)
STATES = (RunState.COMPLETED, RunState.FAILED, RunState.STOPPED, RunState.CRASHED)
"""In the order of their counts."""
UNSAVED_PREFIX = "="
"""The key of a workflow is its id if it is saved, otherwise this prefix and its name."""


class Outcome(NamedTuple):
    """What finished runs count; `counts` are in the order of `COUNTS`."""

    workspace_id: str
    workflow_key: str
    at: datetime
    currency: str
    counts: tuple[int, ...]


class OutcomeKey(NamedTuple):
    """The primary key of a row of totals."""

    workspace_id: str
    kind: str
    at: datetime
    workflow_key: str
    currency: str


def build_outcome(run: SelectedRow) -> Outcome:
    """Return what one finished run counts, as the database's triggers do; `run` has the columns of a run."""
    has_tokens = run.total_tokens is None or run.total_tokens != 0
    amount = Decimal(run.cost_amount or 0)
    units = int(amount)
    counts = (
        *(int(run.state == state) for state in STATES),
        int(run.total_tokens is None or run.calls_without_usage > 0),
        int((run.cost_amount is None and has_tokens) or run.calls_without_cost > 0),
        int(run.cost_amount is not None),
        run.total_tokens or 0,
        units,
        int((amount - units) * COST_SCALE),
    )
    key = run.workflow_id if run.workflow_id is not None else UNSAVED_PREFIX + run.workflow_name
    return Outcome(run.workspace_id, key, start_of(QUARTER, run.created_at), run.cost_currency or "", counts)


def fold(outcomes: Iterable[Outcome]) -> list[tuple[OutcomeKey, Sequence[int]]]:
    """Return the sums of entries for each kind of total, ordered by key."""
    sums: dict[OutcomeKey, list[int]] = {}
    for workspace_id, workflow_key, at, currency, counts in outcomes:
        for key in (
            OutcomeKey(workspace_id, OutcomeKind.QUARTER, at, "", currency),
            OutcomeKey(workspace_id, OutcomeKind.WORKFLOW_QUARTER, at, workflow_key, currency),
            OutcomeKey(workspace_id, OutcomeKind.WORKFLOW_DAY, start_of(DAY, at), workflow_key, currency),
        ):
            total = sums.setdefault(key, [0] * len(COUNTS))
            for position, count in enumerate(counts):
                total[position] += count
    return sorted(sums.items())


def to_aggregate(currency: str, counts: Sequence[int]) -> RunAggregate:
    """Return the aggregate of the runs of one currency from the sums of their counts."""
    completed, failed, stopped, crashed, unknown_tokens, unknown_costs, known, tokens, units, part = counts
    runs = completed + failed + stopped + crashed
    return RunAggregate(
        completed=completed,
        failed=failed,
        stopped=stopped,
        crashed=crashed,
        token_sum=tokens,
        runs_with_unknown_tokens=unknown_tokens,
        cost_sum=units + Decimal(part) / COST_SCALE if known else None,
        runs_with_unknown_cost=unknown_costs,
        currencies=frozenset({currency}) if currency and runs else frozenset(),
    )
