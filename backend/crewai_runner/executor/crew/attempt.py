"""One attempt of a run: a thread with an event loop of its own, in which nothing of another run lives."""

import asyncio
import contextlib
import threading
from concurrent.futures import Future
from typing import Any

from crewai.core.providers.human_input import set_provider
from crewai.events.event_context import EventContextConfig, MismatchBehavior, _event_context_config
from crewai.events.stream_context import add_stream_sink
from crewai.execution import set_execution_uuid
from crewai.hooks.dispatch import InterceptionPoint, scoped_hooks
from crewai_core.printer import set_suppress_console_output

from crewai_runner.domain import run_events as told
from crewai_runner.domain.run import RunFailure, RunResult
from crewai_runner.executor.crew import calls, scene
from crewai_runner.executor.crew.build import Builder, Built
from crewai_runner.executor.crew.endings import AttemptOver
from crewai_runner.executor.crew.environment import ignore_own_warnings
from crewai_runner.executor.crew.failing import failure_of
from crewai_runner.executor.crew.reins import Reins
from crewai_runner.executor.crew.resources import equip, put_away, require_embedder
from crewai_runner.executor.crew.tasks import RevisionProvider, tell_recalled
from crewai_runner.executor.crew.threads import StepThreads
from crewai_runner.executor.crew.workshop import Workshop
from crewai_runner.executor.port import (
    Completed,
    EventSink,
    Failed,
    Outcome,
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


class Attempt(Reins):
    """Runs a crew to one outcome. `start` once; `stop` and `end` from any thread.

    `ended` holds the outcome when the crew is gone. `abandon` gives up waiting for it.
    """

    def __init__(self, spec: RunSpec, sink: EventSink, control: RunControl, workshop: Workshop) -> None:
        super().__init__(spec, sink, control)
        self._workshop = workshop
        self.ended: Future[Outcome] = Future()
        self._built: Built | None = None
        self._in_flight_at_stop = 0
        self._player: asyncio.Task[Any] | None = None
        self._leaving = False
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
        self._player = asyncio.current_task()
        try:
            return await self._play()
        except BaseException as error:  # noqa: BLE001 - each way out of the engine is an outcome
            self._leaving = True
            await self._let_branches_finish(error)
            # A tool that is just done need not count as abandoned.
            await asyncio.to_thread(self.heard.wait_for_tools, TOOL_GRACE_SECONDS)
            return self._outcome_of(error)
        finally:
            self._leaving = True
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

    async def _let_branches_finish(self, error: BaseException) -> None:
        """Tasks beside the one that ended the attempt may finish their step: it is paid for."""
        if not isinstance(error, AttemptOver):
            return
        others = {task for task in self._branches if not task.done()} - {asyncio.current_task()}
        if others:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait(others)

    async def _tidy(self) -> None:
        self._cancel_all()
        rest = asyncio.all_tasks() - {self._player}
        if rest:
            await asyncio.wait(rest, timeout=TIDY_SECONDS)
        await self.loop.shutdown_asyncgens()
        if self._built is None:
            return
        with contextlib.suppress(Exception):
            async with asyncio.timeout(TIDY_SECONDS):
                await put_away(self._built, self._spec, self._workshop)
        for llm in self._built.llms:
            await calls.close(llm)
        await asyncio.sleep(0)  # closed connections are let go in the loop's next turn

    def _cancel_all(self) -> None:
        for task in asyncio.all_tasks(self.loop):
            # A late stop must not cut short the tidying up: connections would stay open.
            if not (self._leaving and task is self._player):
                task.cancel()

    def _finish(self, outcome: Outcome, *, still_running: bool = False) -> Outcome:
        """Tell what was not reached, close the story, and give the outcome as it leaves the executor."""
        if self._control.stop_mode is not None or isinstance(outcome, Stopped):
            outcome = Stopped(
                llm_calls_in_flight=self._in_flight_at_stop,
                llm_calls_after_stop=self.heard.calls_after_stop,
                abandoned=tuple(self.heard.open_tools + (self.heard.stuck() if still_running else [])),
            )
        self.heard.flush()
        if isinstance(outcome, Stopped | Failed):
            self._tell_skipped()
        self.story.close()
        return self.story.cleaner.outcome(outcome)

    def _tell_skipped(self) -> None:
        for task in self._spec.definition.tasks:
            if task.key not in self._begun and task.key not in self._spec.finished_tasks:
                self.story.tell(told.TaskSkipped, task_key=task.key, agent=task.agent)
