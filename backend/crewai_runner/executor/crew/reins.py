"""What the crew of an attempt must ask before it goes on, and whom it tells of its tasks."""

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import CancelledError as WaitCancelled
from typing import Any

from crewai_runner.domain import run_events as told
from crewai_runner.domain.budget import BudgetLimit
from crewai_runner.executor.crew import scene
from crewai_runner.executor.crew.calls import Waits
from crewai_runner.executor.crew.cast import Cast
from crewai_runner.executor.crew.endings import AttemptOver
from crewai_runner.executor.crew.failing import failure_of
from crewai_runner.executor.crew.limits import Spending
from crewai_runner.executor.crew.steering import Steering
from crewai_runner.executor.crew.story import Story
from crewai_runner.executor.crew.tasks import ToldTask
from crewai_runner.executor.crew.texts import Cleaner
from crewai_runner.executor.crew.translate import Translator
from crewai_runner.executor.port import EventSink, Outcome, OutOfBudget, RunControl, RunSpec, Stopped


class Reins:
    """Holds the crew of one attempt: by its model calls, its tools, its threads and its tasks.

    `loop` is where the crew plays. Everything may be called from any thread, save `follow`.
    """

    def __init__(self, spec: RunSpec, sink: EventSink, control: RunControl) -> None:
        self._spec = spec
        self._control = control
        self.loop = asyncio.new_event_loop()
        self.cast = Cast()
        self.story = Story(spec.run_id, sink, Cleaner(_secrets(spec)))
        self.spending = Spending(spec.budget, spec.prior_usage, spec.budget_seconds_used)
        self.steering = Steering(control, self.story)
        self.heard = Translator(self.story, self.cast, self.spending, self.steering)
        self.heard.on_spent = self.warn_of_budget
        self.heard.stopping = lambda: control.stop_mode is not None
        self._lock = threading.Lock()
        self._ending: Outcome | None = None
        self._waits = Waits()
        self._branches: set[asyncio.Task[Any]] = set()
        self._begun: set[str] = set()
        self._failed_at: tuple[str | None, str | None] = (None, None)

    def let_call_begin(self) -> int:
        """Give leave for one more model call and its number. Raises AttemptOver when none may begin."""
        with self._lock:
            self._raise_if_over()
            number = scene.reserved.get()
            if number is not None:
                return number
            leave = self.spending.begin_call()
            if isinstance(leave, BudgetLimit):
                self._ending = OutOfBudget(
                    limit=leave, usage=self.spending.total(), seconds=self.spending.seconds
                )
                raise AttemptOver(self._ending)
        scene.reserved.set(leave)
        self.warn_of_budget()
        return leave

    def wait_for(self, work: Coroutine[Any, Any, Any], loop: asyncio.AbstractEventLoop) -> Any:
        """Let a thread of the crew wait for work in a loop. Raises AttemptOver when it is cut short."""
        try:
            return self._waits.result_of(work, loop)
        except (WaitCancelled, asyncio.CancelledError) as error:
            raise AttemptOver(self._ending or Stopped()) from error

    def before_model_call(self, context: Any) -> None:
        """The engine's hook before an agent's model call: ask leave, hand over a person's messages."""
        if context.executor is None:
            return
        number = self.let_call_begin()
        now = scene.scene.get()
        agent = self.cast.key(str(getattr(context.agent, "id", ""))) or now.agent
        self.steering.deliver(context.messages, call=number, task_key=now.task_key, agent=agent)

    def before_tool_call(self, context: Any) -> None:
        """The engine's hook before a tool is used. Raises AttemptOver when none may be any more."""
        try:
            with self._lock:
                self._raise_if_over()
        except AttemptOver:
            self.heard.tool_refused(context.tool_name)
            raise

    async def follow(self, task: ToldTask, work: Coroutine[Any, Any, Any]) -> Any:
        """Do a task and tell of it."""
        key, agent = task.key_of_task, task._by
        self._begun.add(key)
        if (branch := asyncio.current_task()) is not None:
            self._branches.add(branch)
        self.story.tell(told.TaskStarted, {"description": task.description}, task_key=key, agent=agent)
        try:
            output = await work
            task.hand_over(output)
        except Exception as error:
            self._tell_failed(error, key, agent)
            raise
        data = {"raw": output.raw, "json_output": output.json_dict}
        self.story.tell(told.TaskCompleted, data, task_key=key, agent=agent, longest=None)
        # The next task asks a model only when this one's output is stored: it is never paid for twice.
        await self._control.wait_until_stored()
        return output

    def warn_of_budget(self) -> None:
        for limit in self.spending.new_warnings():
            data = {
                "limit": limit,
                "budget": self._spec.budget,
                "usage": self.spending.total(),
                "seconds": self.spending.seconds,
            }
            self.story.tell(told.BudgetWarned, data)

    def out_of_time(self) -> OutOfBudget:
        """The ending for a run that used up its seconds."""
        return OutOfBudget(
            limit=BudgetLimit.SECONDS, usage=self.spending.total(), seconds=self.spending.seconds
        )

    def _tell_failed(self, error: Exception, key: str, agent: str | None) -> None:
        self._failed_at = (key, agent)
        fields = failure_of(error, self.heard.last_binding.get(key), task_key=key, agent=agent)
        self.story.tell(told.TaskFailed, {"error": fields}, task_key=key, agent=agent)

    def _raise_if_over(self) -> None:
        if self._ending is None and self._control.stop_mode is not None:
            self._ending = Stopped()
        if self._ending is not None:
            raise AttemptOver(self._ending)


def _secrets(spec: RunSpec) -> list[str]:
    return [model.api_key.get_secret_value() for model in spec.models.values() if model.api_key]
