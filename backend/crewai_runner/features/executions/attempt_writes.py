"""The usual begin and end of an attempt, each in one transaction of the transaction writer.

Everything else that may happen to an attempt takes the general way: see `jobs` and `endings`.
"""

from dataclasses import dataclass
from typing import Any

from crewai_runner.core.secret_mask import SecretMask
from crewai_runner.db.transaction_writer import WriteTransaction
from crewai_runner.domain.run import RunResult, RunState, TaskResult
from crewai_runner.domain.workflow import WorkflowDefinition
from crewai_runner.executor.port import EngineStatus
from crewai_runner.features.executions.rules import name_engine, result_when_all_done
from crewai_runner.features.lifecycle.writes import LifecycleWrites
from crewai_runner.features.runs.schemas import SelectedRow
from crewai_runner.features.runs.writes import RunWrites


@dataclass(frozen=True, slots=True)
class BegunAttempt:
    """A run whose first attempt has begun: what its spec is built from."""

    run: SelectedRow
    fencing_token: int
    finished_tasks: dict[str, TaskResult]

    @property
    def is_untouched(self) -> bool:
        """Whether nothing had happened to the run since it was queued first: each request is an event."""
        return bool(self.run.last_seq == 1)


@dataclass(frozen=True, slots=True)
class AttemptWrites:
    mask: SecretMask

    def begin_first(
        self, transaction: WriteTransaction, run_id: str, attempt: int, claim: str, engine: EngineStatus
    ) -> BegunAttempt | None:
        """Begin the first attempt of a queued run. `claim` identifies the call of the job.

        Returns None, and changes nothing, if the attempt does not begin in this way, also after an earlier
        try of the same call whose commit succeeded.
        """
        runs = RunWrites(transaction.connection)
        run = runs.lock_to_begin(run_id)
        if run is None or run.attempt != attempt:
            return None
        if run.state != RunState.QUEUED or run.started_at is not None:
            return None
        # Before the first attempt only a fork has results, which it took from another run.
        finished = {} if run.forked_from is None else runs.get_task_results(run_id)
        if finished and result_when_all_done(WorkflowDefinition.model_validate(run.definition), finished):
            return None
        name, is_native = name_engine(engine, run.project_id)
        lifecycle = LifecycleWrites(transaction, self.mask)
        token = lifecycle.begin_first(run, name, native=is_native, claim=claim)
        return BegunAttempt(run, token, finished)

    def complete(
        self,
        transaction: WriteTransaction,
        run_id: str,
        fencing_token: int,
        result: RunResult,
        active_seconds: float,
        connections: dict[str, Any] | None = None,
    ) -> bool:
        """Complete the attempt of a running run whose files are saved. `connections` are stored with it.

        Returns False, and changes nothing, if another attempt owns the run, if it was stopped or has ended,
        and if something is open that its end must end as well.
        """
        run = RunWrites(transaction.connection).lock_to_end(run_id)
        if run is None or run.fencing_token != fencing_token or run.state != RunState.RUNNING:
            return False
        lifecycle = LifecycleWrites(transaction, self.mask)
        if lifecycle.has_open_work(run_id):
            return False
        lifecycle.complete(run, result, max(run.active_seconds, active_seconds), connections)
        return True
