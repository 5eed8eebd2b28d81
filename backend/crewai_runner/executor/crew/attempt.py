"""One attempt of a run: a thread with an event loop of its own, in which nothing of another run lives."""

import asyncio
import contextlib
import threading
from collections.abc import Coroutine
from concurrent.futures import CancelledError as WaitCancelled
from concurrent.futures import Future
from typing import Any

from crewai.core.providers.human_input import set_provider
from crewai.events.event_context import EventContextConfig, MismatchBehavior, _event_context_config
from crewai.events.stream_context import add_stream_sink
from crewai.execution import set_execution_uuid
from crewai.hooks.dispatch import InterceptionPoint, scoped_hooks
from crewai_core.printer import set_suppress_console_output

from crewai_runner.domain import run_events as told
from crewai_runner.domain.budget import BudgetLimit
from crewai_runner.domain.run import RunFailure, RunResult
from crewai_runner.executor.crew import calls, scene
from crewai_runner.executor.crew.build import Builder, Built
from crewai_runner.executor.crew.cast import Cast
from crewai_runner.executor.crew.endings import AttemptOver
from crewai_runner.executor.crew.environment import ignore_own_warnings
from crewai_runner.executor.crew.failing import failure_of
from crewai_runner.executor.crew.limits import Spending
from crewai_runner.executor.crew.resources import equip, put_away, require_embedder
from crewai_runner.executor.crew.steering import Steering
from crewai_runner.executor.crew.story import Story
from crewai_runner.executor.crew.tasks import RevisionProvider, ToldTask, tell_recalled
from crewai_runner.executor.crew.texts import Cleaner
from crewai_runner.executor.crew.threads import StepThreads
from crewai_runner.executor.crew.translate import Translator
from crewai_runner.executor.crew.workshop import Workshop
from crewai_runner.executor.port import (
    Completed,
    EventSink,
    Failed,
    Outcome,
    OutOfBudget,
    RunControl,
    RunSpec,
    Stopped,
)

_SILENT = EventContextConfig(
    mismatch_behavior=MismatchBehavior.SILENT, empty_pop_behavior=MismatchBehavior.SILENT
)
TIDY_SECONDS = 2.0
TOOL_GRACE_SECONDS = 0.3


_steps = StepThreads()


class Attempt:
    """Runs a crew to one outcome. `start` once; `stop` and `end` from any thread.

    `ended` holds the outcome when the crew is gone. `abandon` gives up waiting for it.
    """

    def __init__(self, spec: RunSpec, sink: EventSink, control: RunControl, workshop: Workshop) -> None:
        self._spec = spec
        self._control = control
        self._workshop = workshop
        self.ended: Future[Outcome] = Future()
        self.cast = Cast()
        self.story = Story(spec.run_id, sink, Cleaner(_secrets(spec)))
        self.spending = Spending(spec.budget, spec.spent, spec.seconds_spent)
        self.steering = Steering(control, self.story)
        self.heard = Translator(self.story, self.cast, self.spending, self.steering)
        self.heard.on_spent = self.warn_of_budget
        self.heard.stopping = lambda: control.stop_mode is not None
        self.loop = asyncio.new_event_loop()
        self._lock = threading.Lock()
        self._ending: Outcome | None = None
        self._waits = calls.Waits()
        self._branches: set[asyncio.Task[Any]] = set()
        self._begun: set[str] = set()
        self._built: Built | None = None
        self._in_flight_at_stop = 0
        self._thread = threading.Thread(target=self._main, name=f"run-{spec.run_id}", daemon=True)

    def start(self) -> None:
        self.spending.start()
        self._thread.start()

    # From any thread

    def stop(self) -> None:
        """End now: close what is open at the provider and let nothing more begin."""
        self.end(Stopped())

    def end(self, ending: Outcome) -> None:
        """End now with this outcome, unless another ending came first; a stop wins over all."""
        with self._lock:
            if self._ending is None or isinstance(ending, Stopped):
                self._ending = ending
            if isinstance(ending, Stopped):
                self._in_flight_at_stop = len(self.heard.open_calls)
        self._waits.cancel()
        with contextlib.suppress(RuntimeError):  # the loop is closed: there is nothing left to end
            self.loop.call_soon_threadsafe(self._cancel_all)

    def abandon(self) -> Outcome:
        """The outcome now, without what cannot be interrupted; nothing of it is told any more."""
        with self._lock:
            self._ending = ending = self._ending or Stopped()
        return self._finish(ending, still_running=True)

    def out_of_time(self) -> OutOfBudget:
        """The ending for a run that used up its seconds."""
        return OutOfBudget(
            limit=BudgetLimit.SECONDS, usage=self.spending.total(), seconds=self.spending.seconds
        )

    # For the model calls, tasks and tools of the crew

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

    def before_tool_call(self, _context: Any) -> None:
        """The engine's hook before a tool is used."""
        with self._lock:
            self._raise_if_over()

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
        await self._control.all_stored()
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

    # Inside the thread

    def _main(self) -> None:
        try:
            outcome = self._finish(self._live())
        except BaseException as error:  # noqa: BLE001 - nobody may wait for ever
            self.ended.set_exception(error)
        else:
            self.ended.set_result(outcome)

    def _live(self) -> Outcome:
        asyncio.set_event_loop(self.loop)
        self.loop.set_default_executor(_steps)
        self.loop.set_exception_handler(lambda _loop, _context: None)
        try:
            return self.loop.run_until_complete(self._run())
        except BaseException as error:  # noqa: BLE001 - each way out of the engine is an outcome
            return self._outcome_of(error)
        finally:
            asyncio.set_event_loop(None)
            self.loop.close()

    async def _run(self) -> Outcome:
        try:
            return await self._play()
        except BaseException as error:  # noqa: BLE001 - each way out of the engine is an outcome
            await self._let_branches_finish(error)
            await self._give_tools_a_moment()
            return self._outcome_of(error)
        finally:
            await self._tidy()

    async def _play(self) -> Outcome:
        self._enter()
        require_embedder(self._spec)
        builder = Builder(self._spec, self.cast, self._workshop)
        built = self._built = builder.build()
        for task in built.tasks:
            tell_recalled(self, task)
        await equip(built, self._spec, self._workshop, builder)
        hooks = {
            InterceptionPoint.PRE_MODEL_CALL: [self.before_model_call],
            InterceptionPoint.PRE_TOOL_CALL: [self.before_tool_call],
        }
        with scoped_hooks(hooks):
            output = await built.crew.akickoff()
        results = {task.key_of_task: result for task in built.tasks if (result := task.result())}
        return Completed(RunResult(raw=output.raw, json_output=output.json_dict, tasks=results))

    def _enter(self) -> None:
        ignore_own_warnings()
        scene.attempt.set(self)
        set_execution_uuid(self._spec.run_id)
        add_stream_sink(self.heard)
        set_provider(RevisionProvider(self._spec.revision))
        set_suppress_console_output(True)
        _event_context_config.set(_SILENT)

    def _outcome_of(self, error: BaseException) -> Outcome:
        if isinstance(error, AttemptOver):
            with self._lock:
                self._ending = self._ending or error.ending
            return self._ending
        if self._ending is not None:
            return self._ending
        task_key, agent = self._failed_at
        binding = self.heard.last_binding.get(task_key)
        fields = failure_of(error, binding, task_key=task_key, agent=agent)
        return Failed(RunFailure(**self.story.cleaner.clean(fields)))

    def _tell_failed(self, error: Exception, key: str, agent: str | None) -> None:
        self._failed_at = (key, agent)
        fields = failure_of(error, self.heard.last_binding.get(key), task_key=key, agent=agent)
        self.story.tell(told.TaskFailed, {"error": fields}, task_key=key, agent=agent)

    _failed_at: tuple[str | None, str | None] = (None, None)

    async def _let_branches_finish(self, error: BaseException) -> None:
        """Tasks beside the one that ended the attempt may finish their step: it is paid for."""
        if not isinstance(error, AttemptOver):
            return
        others = {task for task in self._branches if not task.done()} - {asyncio.current_task()}
        if others:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait(others)

    async def _tidy(self) -> None:
        self._cancel_all(but=asyncio.current_task())
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        with contextlib.suppress(BaseException):
            if rest:
                await asyncio.wait(rest, timeout=TIDY_SECONDS)
            await self.loop.shutdown_asyncgens()
        if self._built is None:
            return
        with contextlib.suppress(Exception):
            await asyncio.wait_for(put_away(self._built, self._spec, self._workshop), TIDY_SECONDS)
        for llm in self._built.llms:
            await calls.close(llm)
        await asyncio.sleep(0)  # closed connections are let go in the loop's next turn

    def _cancel_all(self, but: asyncio.Task[Any] | None = None) -> None:
        for task in asyncio.all_tasks(self.loop):
            if task is not but:
                task.cancel()

    def _raise_if_over(self) -> None:
        if self._ending is None and self._control.stop_mode is not None:
            self._ending = Stopped()
        if self._ending is not None:
            raise AttemptOver(self._ending)

    async def _give_tools_a_moment(self) -> None:
        """A tool that is just done need not count as abandoned."""
        patience = asyncio.get_running_loop().time() + TOOL_GRACE_SECONDS
        while self.heard.open_tools and asyncio.get_running_loop().time() < patience:
            await asyncio.sleep(0.01)

    def _finish(self, outcome: Outcome, *, still_running: bool = False) -> Outcome:
        """Tell what was not reached, close the story, and give the outcome as it leaves the executor."""
        if self._control.stop_mode is not None or isinstance(outcome, Stopped):
            outcome = Stopped(
                llm_calls_in_flight=self._in_flight_at_stop,
                llm_calls_after_stop=self.heard.calls_after_stop,
                abandoned=tuple(self.heard.open_tools + (self._stuck() if still_running else [])),
            )
        self.heard.flush()
        if isinstance(outcome, Stopped | Failed):
            self._tell_skipped()
        self.story.close()
        return self.story.cleaner.outcome(outcome)

    def _stuck(self) -> list[str]:
        calls_open = [f"model call {c.number} of agent '{c.agent}'" for c in self.heard.open_calls]
        guardrails = [f"guardrail '{text}'" for text in self.heard.open_guardrails]
        return calls_open + guardrails or ["a step of the engine"]

    def _tell_skipped(self) -> None:
        for task in self._spec.definition.tasks:
            if task.key not in self._begun and task.key not in self._spec.finished:
                self.story.tell(told.TaskSkipped, task_key=task.key, agent=task.agent)


def _secrets(spec: RunSpec) -> list[str]:
    return [model.api_key.get_secret_value() for model in spec.models.values() if model.api_key]
