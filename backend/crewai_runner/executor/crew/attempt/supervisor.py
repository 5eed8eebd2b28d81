"""Supervises the crew of one attempt: its model calls, tools, blocking threads and tasks."""

import asyncio
import threading
from collections.abc import Awaitable, Coroutine
from concurrent.futures import CancelledError as BlockingCallCancelled
from typing import Any

from crewai_runner.core.outside_values import make_storable
from crewai_runner.domain import run_events
from crewai_runner.domain.budget import BudgetLimit
from crewai_runner.domain.run import RunFailure, TaskResult
from crewai_runner.executor.crew.attempt.blocking_calls import BlockingCalls
from crewai_runner.executor.crew.attempt.running_tasks import RunningTasks
from crewai_runner.executor.crew.context.agent_keys import AgentKeyMap
from crewai_runner.executor.crew.context.budget import BudgetTracker
from crewai_runner.executor.crew.context.exceptions import AttemptEnded
from crewai_runner.executor.crew.context.redaction import MAX_OUTPUT_LENGTH, Redactor
from crewai_runner.executor.crew.context.run_context import (
    CallScope,
    RunContext,
    TaskScope,
    current_task,
    current_tool_call,
    reserved_call,
)
from crewai_runner.executor.crew.errors.run_failure import failure_fields
from crewai_runner.executor.crew.events.emitter import EventClass, EventEmitter
from crewai_runner.executor.crew.events.message_inbox import MessageInbox
from crewai_runner.executor.crew.events.translator import EventTranslator
from crewai_runner.executor.port import (
    EventSink,
    Failed,
    ModelBinding,
    NeedsHuman,
    Outcome,
    OutOfBudget,
    RunControl,
    RunSpec,
    Stopped,
    list_secrets,
)
from crewai_runner.executor.tools.progress import ToolProgress


class RunSupervisor(RunContext):
    """Permits, counts and reports the actions of a crew, and stores the outcome of the attempt.

    `loop` is the attempt's event loop. Thread-safe, except for `run_task` and `wait_for_parallel_tasks`.
    """

    def __init__(
        self, spec: RunSpec, sink: EventSink, control: RunControl, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._spec = spec
        self.run_id = spec.run_id
        self._control = control
        self._loop = loop
        self.agent_keys = AgentKeyMap()
        emitter = self.emitter = EventEmitter(spec.run_id, sink, Redactor(list_secrets(spec)))
        self.budget = BudgetTracker(spec.budget, spec.prior_usage, spec.budget_seconds_used)
        self._inbox = MessageInbox(control, self.emitter)
        self.translator = EventTranslator(
            emitter, self.agent_keys, self.budget, self._inbox, spec.tools, on_usage=self.emit_budget_warnings
        )
        self._blocking_calls = BlockingCalls()
        self._lock = threading.Lock()
        self._outcome: Outcome | None = None
        self._calls_in_flight_at_stop = 0
        self.running_tasks = RunningTasks()
        self._started_tasks: set[str | None] = set()
        self._failed_scope = TaskScope()
        self._review: NeedsHuman | None = None

    # RunContext

    def reserve_call(self) -> int:
        """Return the number of the next model call. Raises AttemptEnded when no call may start."""
        with self._lock:
            self._raise_if_ended(calls_model=True)
            number = reserved_call.get()
            if number is not None:
                return number
            reserved = self.budget.reserve_call()
            if isinstance(reserved, BudgetLimit):
                self._outcome = self._make_out_of_budget(reserved)
                raise AttemptEnded(self._outcome)
        reserved_call.set(reserved)
        self.emit_budget_warnings()
        return reserved

    def count_request(self, scope: CallScope) -> None:
        """Count a request that is about to be sent. Raises AttemptEnded when none may be sent."""
        scope.requests += 1
        if scope.number is None:
            scope.number = self.reserve_call()
        self.translator.model_calls.on_request(scope, self._reserve_repetition)

    async def wait_until_admitted(self) -> None:
        """Wait until earlier calls are stored, if the workspace limits what it spends."""
        if self._control.limits_spending:
            await self._control.wait_until_stored()
            with self._lock:
                self._raise_if_ended(calls_model=True)

    async def wait_until_counted(self) -> None:
        """Wait until the counted requests are stored, if a budget depends on it or too many events wait."""
        if self.budget.limits_spending or self._control.has_backlog:
            await self._control.wait_until_stored()

    def open_call(self, scope: CallScope, binding: ModelBinding, count: int, prompt: str) -> None:
        self.translator.model_calls.open_call(scope, binding, count, prompt)

    def complete_call(self, scope: CallScope, usage: dict[str, Any]) -> None:
        self.translator.model_calls.complete_call(scope, usage)

    def end_call(self, scope: CallScope, error: BaseException | None) -> None:
        """End the call's events if they are open; give the reservation back if nothing was sent."""
        if not self.translator.model_calls.end_call(scope, error):
            self.budget.release_call()

    def _reserve_repetition(self) -> int:
        """Reserve another request of a call that has started."""
        token = reserved_call.set(None)
        try:
            return self.reserve_call()
        finally:
            reserved_call.reset(token)

    def run_blocking(
        self, work: Coroutine[Any, Any, Any], loop: asyncio.AbstractEventLoop | None = None
    ) -> Any:
        """Run `work` in `loop` and block until it is done. Raises AttemptEnded when it is cancelled."""
        try:
            return self._blocking_calls.run(work, loop or self._loop)
        except (BlockingCallCancelled, asyncio.CancelledError) as error:
            self.translator.tool_calls.cut_off(current_tool_call.get())
            raise AttemptEnded(self._outcome or Stopped()) from error

    def agent_key(self, agent_id: str) -> str | None:
        return self.agent_keys.find(agent_id)

    async def run_task(self, scope: TaskScope, description: str, work: Awaitable[Any]) -> Any:
        """Await a task's `work`, emit its events and wait until they are stored."""
        self._started_tasks.add(scope.task_key)
        self.running_tasks.add_current()
        self._emit(run_events.TaskStarted, {"description": description}, scope)
        try:
            output = await work
        except Exception as error:
            self._failed_scope = scope
            self._emit(run_events.TaskFailed, {"error": self._failure_fields(error, scope)}, scope)
            raise
        self._emit_result(run_events.TaskCompleted, output.raw, output.json_dict, scope)
        # Stored before the next task calls a model, so that a crash never repeats a finished task.
        await self._control.wait_until_stored()
        self.running_tasks.remove_current()
        return output

    def fail_delegation(self, message: str) -> None:
        self.translator.tool_calls.mark_failed(current_tool_call.get(), message)

    def emit_warning(self, code: str, message: str) -> None:
        self._emit(run_events.WarningRaised, {"code": code, "message": message}, current_task.get())

    def emit_tool_progress(self, call_id: str | None, progress: ToolProgress) -> None:
        self.translator.tool_calls.report_progress(call_id, progress)

    def emit_retry_warning(self, seconds: float) -> None:
        binding = self.translator.model_calls.last_binding.get(current_task.get().task_key)
        name = binding.provider_name if binding else "The provider"
        self.emit_warning(
            "provider-retry", f"A call to {name} failed and is retried in {seconds:.1f} seconds."
        )

    # CrewAI hooks

    def before_model_call(self, context: Any) -> None:
        """Reserve an agent's model call and deliver the user's messages. Raises AttemptEnded."""
        if context.executor is None:
            return
        number = self.reserve_call()
        scope = current_task.get()
        agent = self.agent_keys.find(str(getattr(context.agent, "id", ""))) or scope.agent
        self._inbox.deliver(context.messages, call=number, task_key=scope.task_key, agent=agent)

    def before_tool_call(self, context: Any) -> None:
        """Raise AttemptEnded when no tool may be used any more."""
        try:
            with self._lock:
                self._raise_if_ended()
        except AttemptEnded:
            self.translator.tool_calls.discard(context.tool_name)
            raise

    # End of the attempt

    def end(self, outcome: Outcome) -> None:
        """Decide the outcome, unless it is decided already; a stop overrides every other outcome."""
        with self._lock:
            if self._outcome is None or isinstance(outcome, Stopped):
                self._outcome = outcome
            if isinstance(outcome, Stopped):
                self._calls_in_flight_at_stop = len(self.translator.model_calls.open_calls)
        self._blocking_calls.cancel_all()

    def end_out_of_time(self) -> None:
        """Decide the outcome because the budget's seconds are used up."""
        self.end(self._make_out_of_budget(BudgetLimit.SECONDS))

    def stop_waiting(self) -> Outcome:
        """Return the decided outcome, a stop by default."""
        with self._lock:
            self._outcome = self._outcome or Stopped()
            return self._outcome

    def outcome_of(self, error: BaseException) -> Outcome:
        """Return the decided outcome, or the one that results from an error of the crew."""
        with self._lock:
            if isinstance(error, AttemptEnded):
                self._review = error.outcome if isinstance(error.outcome, NeedsHuman) else None
                self._outcome = self._outcome or error.outcome
            if self._outcome is not None:
                return self._outcome
        fields = self._failure_fields(error, self._failed_scope)
        return Failed(self.emitter.redactor.redact(RunFailure(**make_storable(fields))))

    def finish(self, outcome: Outcome, *, has_pending_work: bool = False) -> Outcome:
        """Emit the last events, discard later ones and return the outcome, redacted."""
        if self._control.stop_mode is not None or isinstance(outcome, Stopped):
            outcome = self._make_stopped(has_pending_work=has_pending_work)
        self.end_open_calls()
        self.translator.tool_calls.end_all()
        if isinstance(outcome, Stopped | Failed):
            self._emit_skipped_tasks()
        self.emitter.close()
        return self.emitter.redactor.redact_outcome(outcome)

    def end_open_calls(self) -> None:
        """End the events of all model calls that are still open."""
        self.translator.model_calls.end_all()

    # Events

    def emit_reused(self, task_key: str, result: TaskResult) -> None:
        """Report that the result of an earlier attempt is used."""
        scope = TaskScope(task_key, result.agent)
        self._emit_result(run_events.TaskReused, result.raw, result.json_output, scope)

    def emit_budget_warnings(self) -> None:
        """Warn of limits that are used to 80 %, once per limit and run."""
        for limit in self.budget.take_new_warnings():
            usage, seconds = self.budget.total_usage(), self.budget.seconds
            data = {"limit": limit, "budget": self._spec.budget, "usage": usage, "seconds": seconds}
            self.emitter.emit(run_events.BudgetWarned, data)

    def _emit_result(self, event_class: EventClass, raw: str, json_output: Any, scope: TaskScope) -> None:
        data = {"raw": raw, "json_output": json_output}
        where: dict[str, Any] = {"task_key": scope.task_key, "agent": scope.agent}
        self.emitter.emit(event_class, data, **where, max_length=MAX_OUTPUT_LENGTH)
        if event_class is run_events.TaskCompleted and len(raw) > MAX_OUTPUT_LENGTH:
            text = f"The output has {len(raw):,} characters; the first {MAX_OUTPUT_LENGTH:,} are stored."
            self._emit(run_events.WarningRaised, {"code": "output-truncated", "message": text}, scope)

    def _emit_skipped_tasks(self) -> None:
        for task in self._spec.definition.tasks:
            if task.key not in self._started_tasks and task.key not in self._spec.finished_tasks:
                self.emitter.emit(run_events.TaskSkipped, task_key=task.key, agent=task.agent)

    def _emit(self, event_class: EventClass, data: dict[str, Any], scope: TaskScope) -> None:
        self.emitter.emit(event_class, data, task_key=scope.task_key, agent=scope.agent)

    def _failure_fields(self, error: BaseException, scope: TaskScope) -> dict[str, Any]:
        binding = self.translator.model_calls.last_binding.get(scope.task_key)
        return failure_fields(error, binding, task_key=scope.task_key, agent=scope.agent)

    def _make_stopped(self, *, has_pending_work: bool) -> Stopped:
        abandoned = self.translator.tool_calls.describe_open_calls()
        if has_pending_work:
            abandoned += self.translator.describe_pending_work()
        return Stopped(
            llm_calls_in_flight=self._calls_in_flight_at_stop,
            llm_calls_after_stop=self.translator.model_calls.count_calls_since(self._control.stopping_since),
            abandoned=tuple(abandoned),
            review=self._review,
        )

    def _make_out_of_budget(self, limit: BudgetLimit) -> OutOfBudget:
        return OutOfBudget(limit=limit, usage=self.budget.total_usage(), seconds=self.budget.seconds)

    def _raise_if_ended(self, *, calls_model: bool = False) -> None:
        if self._outcome is None and self._control.stop_mode is not None:
            self._outcome = Stopped()
        if self._outcome is None and calls_model and self._control.refusal is not None:
            self._outcome = Failed(self._control.refusal)
        if self._outcome is not None:
            raise AttemptEnded(self._outcome)
