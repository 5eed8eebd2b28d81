"""One attempt of a run: a thread with its own event loop, isolated from all other runs."""

import asyncio
import contextlib
import threading
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

from crewai_runner.core.secret_mask import TextMask
from crewai_runner.domain.run import RunResult
from crewai_runner.executor.crew.attempt.supervisor import RunSupervisor
from crewai_runner.executor.crew.attempt.thread_pool import StepThreadPool
from crewai_runner.executor.crew.build.component_factory import ComponentFactory
from crewai_runner.executor.crew.build.crew_builder import BuiltCrew, CrewBuilder
from crewai_runner.executor.crew.build.resources import attach_resources, release_resources, require_embedder
from crewai_runner.executor.crew.compat.environment import ignore_engine_warnings
from crewai_runner.executor.crew.compat.llm_internals import close_clients
from crewai_runner.executor.crew.compat.run_scope import call_hooks, enter_run
from crewai_runner.executor.crew.context.exceptions import AttemptEnded
from crewai_runner.executor.crew.context.run_context import current_run
from crewai_runner.executor.crew.events.connections import ConnectionReporter
from crewai_runner.executor.port import (
    Completed,
    EventSink,
    Outcome,
    RunControl,
    RunSpec,
    Stopped,
    list_secrets,
)
from crewai_runner.executor.tools.gate import ToolGate

CLEANUP_SECONDS = 2.0
TOOL_GRACE_SECONDS = 0.3

_step_threads = StepThreadPool()


class Attempt:
    """Runs a crew to one outcome. Call `start` once; all methods may be called from any thread.

    `outcome` resolves when the crew has ended.
    """

    def __init__(
        self, spec: RunSpec, sink: EventSink, control: RunControl, factory: ComponentFactory
    ) -> None:
        self._spec, self._control = spec, control
        self._loop = asyncio.new_event_loop()
        self._supervisor = supervisor = RunSupervisor(spec, sink, control, self._loop)
        secrets = list_secrets(spec)
        connections = ConnectionReporter(
            supervisor.emitter,
            supervisor.translator.tool_calls,
            control.note_connection,
            TextMask([*secrets, *(secret.lower() for secret in secrets)]),
        )
        gate = ToolGate(
            control, spec.tool_wait_seconds, supervisor.running_tasks.are_more_than, spec.tool_results
        )
        self._factory = replace(factory, connections=connections, gate=gate)
        self.outcome: Future[Outcome] = Future()
        self._built: BuiltCrew | None = None
        self._main_task: asyncio.Task[Any] | None = None
        self._is_cleaning_up = False
        self._thread = threading.Thread(target=self._run_thread, name=f"run-{spec.run_id}", daemon=True)

    def start(self) -> None:
        self._supervisor.budget.start_clock()
        self._thread.start()

    def stop(self) -> None:
        """End at once: close connections to providers and start no further calls."""
        self.end(Stopped())

    def end(self, outcome: Outcome) -> None:
        """End at once with this outcome, unless it is decided already."""
        self._supervisor.end(outcome)
        self._cancel_tasks_soon()

    def end_out_of_time(self) -> None:
        """End at once because the budget's seconds are used up."""
        self._supervisor.end_out_of_time()
        self._cancel_tasks_soon()

    def emit_budget_warnings(self) -> None:
        self._supervisor.emit_budget_warnings()

    def discard_events(self) -> None:
        """End the events of open model calls, and discard everything that the crew emits later."""
        self._supervisor.end_open_calls()
        self._supervisor.emitter.close()

    def detach(self) -> Outcome:
        """Return the outcome while steps that cannot be interrupted still run; discard their events."""
        return self._supervisor.finish(self._supervisor.stop_waiting(), has_pending_work=True)

    def _cancel_tasks_soon(self) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: the attempt has ended
            self._loop.call_soon_threadsafe(self._cancel_tasks)

    # In the attempt's thread

    def _run_thread(self) -> None:
        try:
            outcome = self._supervisor.finish(self._run_loop())
        except BaseException as error:  # noqa: BLE001 - the future must be resolved
            self.outcome.set_exception(error)
        else:
            self.outcome.set_result(outcome)

    def _run_loop(self) -> Outcome:
        asyncio.set_event_loop(self._loop)
        self._loop.set_default_executor(_step_threads)
        self._loop.set_exception_handler(lambda _loop, _context: None)
        try:
            return self._loop.run_until_complete(self._run())
        except BaseException as error:  # noqa: BLE001 - every exception is an outcome
            return self._supervisor.outcome_of(error)
        finally:
            asyncio.set_event_loop(None)
            self._loop.close()

    async def _run(self) -> Outcome:
        self._main_task = asyncio.current_task()
        try:
            return await self._run_crew()
        except BaseException as error:  # noqa: BLE001 - every exception is an outcome
            self._is_cleaning_up = True
            if isinstance(error, AttemptEnded):
                await self._supervisor.running_tasks.wait_for_others()
            # A tool that is about to finish must not be reported as abandoned.
            tool_calls = self._supervisor.translator.tool_calls
            await asyncio.to_thread(tool_calls.wait_until_idle, TOOL_GRACE_SECONDS)
            return self._supervisor.outcome_of(error)
        finally:
            self._is_cleaning_up = True
            await self._clean_up()

    async def _run_crew(self) -> Outcome:
        supervisor = self._supervisor
        ignore_engine_warnings()
        current_run.set(supervisor)
        enter_run(self._spec.run_id, supervisor.translator.on_event, self._spec.revision)
        require_embedder(self._spec)
        builder = CrewBuilder(self._spec, supervisor.agent_keys, self._factory, self._control.store_file)
        built = self._built = builder.build()
        for task in built.tasks:
            if (result := task.result()) is not None:
                supervisor.emit_reused(task.task_key, result)
        await attach_resources(built, self._spec, self._factory, builder, self._control.store_memories)
        with call_hooks(
            before_model_call=supervisor.before_model_call, before_tool_call=supervisor.before_tool_call
        ):
            output = await built.crew.akickoff()
        results = {task.task_key: result for task in built.tasks if (result := task.result())}
        return Completed(RunResult(raw=output.raw, json_output=output.json_dict, tasks=results))

    async def _clean_up(self) -> None:
        self._cancel_tasks()
        remaining = asyncio.all_tasks() - {self._main_task}
        if remaining:
            await asyncio.wait(remaining, timeout=CLEANUP_SECONDS)
        await self._loop.shutdown_asyncgens()
        if self._built is None:
            return
        with contextlib.suppress(Exception):
            async with asyncio.timeout(CLEANUP_SECONDS):
                await release_resources(self._built)
        for llm in self._built.llms:
            await close_clients(llm)
        await asyncio.sleep(0)  # transports close in the loop's next iteration

    def _cancel_tasks(self) -> None:
        for task in asyncio.all_tasks(self._loop):
            # A late stop must not cancel the clean-up: connections would stay open.
            if not (self._is_cleaning_up and task is self._main_task):
                task.cancel()
