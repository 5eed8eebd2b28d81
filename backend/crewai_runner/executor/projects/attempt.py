"""The process of a project's run with its gateway, proxy and bridge, from start to outcome."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from crewai_runner.core.host_patterns import parse_host_pattern
from crewai_runner.core.secret_mask import TextMask
from crewai_runner.domain.budget import BudgetLimit
from crewai_runner.domain.network_access import NetworkAccess, find_host_rule
from crewai_runner.domain.run import RunFailure
from crewai_runner.domain.run_connection import RunConnection
from crewai_runner.domain.run_event_payloads import WarningRaisedData
from crewai_runner.domain.run_events import WarningRaised
from crewai_runner.executor.port import Failed, NeedsHuman, Outcome, Stopped
from crewai_runner.executor.projects.attempt_place import AttemptPlace, build_sandbox_spec
from crewai_runner.executor.projects.bridge.log_lines import LogLines
from crewai_runner.executor.projects.bridge.messages import StartMessage
from crewai_runner.executor.projects.bridge.server import BridgeServer
from crewai_runner.executor.projects.bridge.translator import warn_without_model_call
from crewai_runner.executor.projects.egress_ledger import EgressLedger
from crewai_runner.executor.projects.gateway.server import serve_gateway
from crewai_runner.executor.projects.gateway.session import GatewaySession, GatewaySpec
from crewai_runner.executor.projects.human_questions import HumanQuestions
from crewai_runner.executor.projects.outcomes import build_completed, find_failure
from crewai_runner.executor.projects.run_link import RunLink, StopAfterStep
from crewai_runner.executor.projects.sandbox.egress_proxy import EgressProxy
from crewai_runner.executor.projects.sandbox.port import (
    BRIDGE_SOCKET,
    EGRESS_SOCKET,
    GATEWAY_SOCKET,
    EndCause,
    SandboxExit,
    SandboxProcess,
)
from crewai_runner.executor.projects.task_record import (
    RecordingTranslator,
    TaskRecord,
    is_restart,
    restore_tasks,
)
from crewai_runner.executor.projects.written_files import WrittenFiles

RESTARTED = "The code starts from its beginning: no task has finished, and no flow has saved its state."
POLL_SECONDS = 0.1
DRAIN_SECONDS = 60.0
"""How long the model calls of other threads may take until the run waits for a person."""


class ProjectAttempt:
    """Use once. It may serve several attempts: see `RunLink`."""

    def __init__(self, link: RunLink, place: AttemptPlace, record: TaskRecord, files: WrittenFiles) -> None:
        self._link, self._place, self._record, self._files = link, place, record, files
        self._sink = link.sink
        self._loop = asyncio.get_running_loop()
        self._stop, self._deadline = asyncio.Event(), asyncio.Event()
        spec = link.spec
        values = [value.get_secret_value() for value in link.code.secrets.values()]
        mask = TextMask(values)
        mask_hosts = TextMask([*values, *(value.lower() for value in values)])
        rule = find_host_rule(None, link.code.allowed_hosts, spec.network_limit)
        self._hosts = tuple(parse_host_pattern(host) for host in rule.hosts or ())
        self._ledger = EgressLedger(
            spec.run_id,
            self._warn,
            mask_hosts,
            self._note_connection,
            forbids_all=spec.network_limit is NetworkAccess.NONE,
        )
        self._finished = restore_tasks(spec.finished_tasks, record.hashes)
        self._translator = RecordingTranslator(spec.run_id, self._finished, mask, record)
        self._lines = LogLines(spec.run_id, self._sink)
        self._questions = HumanQuestions(
            spec, mask, lambda: self._translator.find_scope().agent, lambda: mask(self._lines.last_line)
        )
        link.can_continue = self._questions.can_continue
        self._session = GatewaySession(self._gateway_spec(), self._sink, link.control)
        self._timers: list[asyncio.TimerHandle] = []
        self._unanswered: NeedsHuman | None = None
        """The question that the process was ended at."""

    async def run(self) -> Outcome:
        """Execute the project to its outcome. Cancelled, it leaves no process behind."""
        sockets, code, spec = self._place.folders.sockets, self._link.code, self._link.spec
        start = StartMessage(
            entry=code.entry_point,
            import_paths=code.inspection.import_paths,
            inputs=spec.inputs,
            finished_tasks=list(self._finished.values()),
            flow_states=self._record.flow_states,
        )
        if is_restart(spec) and not self._finished and not self._record.flow_states:
            self._warn("project-restarted", RESTARTED)
        self._listen()
        proxy = EgressProxy(self._place.tool_egress, self._hosts, self._ledger.note)
        async with contextlib.AsyncExitStack() as stack:
            stack.callback(self._ledger.write_log)
            await stack.enter_async_context(
                serve_gateway(self._session, sockets / GATEWAY_SOCKET, self._place.model_egress)
            )
            await proxy.start(sockets / EGRESS_SOCKET)
            stack.push_async_callback(proxy.close)
            bridge = BridgeServer(
                sockets / BRIDGE_SOCKET,
                start,
                self._translator,
                self._sink,
                self._questions.ask,
                store=self._store,
            )
            await stack.enter_async_context(bridge)
            return await self._supervise(bridge)

    def _listen(self) -> None:
        """Receive the stops of the attempt that is attached."""
        control = self._link.control
        control.on_stop(lambda: self._call_soon(self._stop.set))
        control.forward_to(StopAfterStep(lambda: self._call_soon(self._stop_after_step)))

    async def _supervise(self, bridge: BridgeServer) -> Outcome:
        """Start the process, wait for its end or for a reason to end it, and return the outcome."""
        spec = build_sandbox_spec(self._place, self._link.code, self._session.token)
        process = await self._place.sandbox.start(spec, self._lines.feed)
        self._start_timers()
        try:
            exited = await self._wait(process)
            await bridge.wait_disconnected()
        finally:
            self._cancel_timers()
            self._session.close()
            await asyncio.shield(process.kill())
            self._lines.close()
        return self._find_outcome(exited, bridge)

    async def _wait(self, process: SandboxProcess) -> SandboxExit:
        """Wait for the end of the process; end it on a stop, a used-up budget or a deadline.

        While persons are asked, the run waits and the process with it.
        """
        ending = asyncio.ensure_future(process.wait())
        reasons = [
            asyncio.ensure_future(event.wait())
            for event in (self._stop, self._deadline, self._session.limit_reached)
        ]
        try:
            while not any(task.done() for task in (ending, *reasons)):
                asked = asyncio.ensure_future(self._questions.wait_until_asked())
                await asyncio.wait((ending, asked, *reasons), return_when=asyncio.FIRST_COMPLETED)
                is_asked = asked.done()
                asked.cancel()
                if is_asked and not await self._suspend(ending, reasons):
                    break
            if ending.done():
                return ending.result()
            self._session.close()
            return await process.terminate()
        finally:
            for task in (ending, *reasons):
                task.cancel()

    async def _suspend(
        self, ending: asyncio.Future[SandboxExit], reasons: Sequence[asyncio.Future[Any]]
    ) -> bool:
        """Let the run wait for a person until another attempt continues; False if the process must end."""
        self._session.pause()
        idle = asyncio.ensure_future(self._wait_until_idle())
        waits: list[asyncio.Future[Any]] = [idle, ending, *reasons]
        await asyncio.wait(waits, timeout=DRAIN_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        is_idle = idle.done()
        idle.cancel()
        needed = self._questions.first
        if any(task.done() for task in (ending, *reasons)):
            return False
        if needed is None:  # the process that asked is gone
            self._session.admit_calls()
            return True
        if not is_idle:
            self._unanswered = needed
            return False
        self._cancel_timers()
        await self._record.close()
        await self._files.save()
        attached = asyncio.ensure_future(self._link.suspend(needed))
        try:
            await asyncio.wait((attached, ending), return_when=asyncio.FIRST_COMPLETED)
        finally:
            attached.cancel()
        return attached.done() and not ending.done() and self._continue()

    async def _store(self) -> None:
        """Wait until finished tasks are stored, with the hashes that restore them."""
        await self._record.close()
        if self._sink.is_attached:
            await self._link.control.wait_until_stored()

    async def _wait_until_idle(self) -> None:
        while self._session.open_calls:  # noqa: ASYNC110 - calls end in several places
            await asyncio.sleep(POLL_SECONDS)

    def _continue(self) -> bool:
        """Serve the attempt that is attached now; False if it does not answer the question."""
        link = self._link
        self._listen()
        self._session.continue_with(self._gateway_spec(), link.control)
        for event in self._translator.reopen(link.spec.finished_tasks):
            self._sink(event)
        self._start_timers()
        is_answered = self._questions.continue_with(link.spec)
        self._unanswered = None if is_answered else self._questions.first
        return is_answered

    def _find_outcome(self, exited: SandboxExit, bridge: BridgeServer) -> Outcome:
        if self._stop.is_set() or self._link.control.is_stopping_now:
            killed = ("a process of the project, which was killed",)
            return Stopped(
                llm_calls_in_flight=self._session.llm_calls_in_flight,
                llm_calls_after_stop=self._session.llm_calls_after_stop,
                abandoned=killed if exited.cause is EndCause.KILLED else (),
            )
        if (out_of_budget := self._session.out_of_budget()) is not None:
            return out_of_budget
        if self._deadline.is_set():
            return Failed(self._timeout_failure())
        if self._unanswered is not None:
            return self._unanswered
        failure = find_failure(exited, bridge.result)
        if failure is not None:
            return Failed(failure)
        calls = self._session.total_usage().llm_calls
        if (warning := warn_without_model_call(self._link.run_id, calls)) is not None:
            self._sink(warning)
        return build_completed(bridge, self._translator)

    def _gateway_spec(self) -> GatewaySpec:
        spec = self._link.spec
        return GatewaySpec(
            run_id=spec.run_id,
            models=spec.models,
            model_map=self._link.code.model_map,
            budget=spec.budget,
            prior_usage=spec.prior_usage,
            budget_seconds_used=spec.budget_seconds_used,
            find_scope=self._translator.find_scope,
            allowed_hosts=self._hosts,
            note_reference=self._ledger.note_reference,
            note_connection=self._link.control.note_connection,
        )

    def _start_timers(self) -> None:
        spec, timers = self._link.spec, self._timers
        if spec.timeout_seconds is not None:
            left = max(0.0, spec.timeout_seconds - spec.timeout_seconds_used)
            timers.append(self._loop.call_later(left, self._deadline.set))
        if spec.budget.max_seconds is not None:
            left = max(0.0, spec.budget.max_seconds - spec.budget_seconds_used)
            timers.append(self._loop.call_later(left, self._session.note_limit, BudgetLimit.SECONDS))

    def _cancel_timers(self) -> None:
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()

    def _stop_after_step(self) -> None:
        """Stop as soon as no model call is in progress."""
        if self._session.open_calls:
            self._loop.call_later(POLL_SECONDS, self._stop_after_step)
        else:
            self._stop.set()

    def _call_soon(self, callback: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(callback)

    def _warn(self, code: str, message: str, host: str | None = None) -> None:
        data = WarningRaisedData(code=code, message=message, host=host)
        self._sink(WarningRaised(run_id=self._link.run_id, data=data))

    def _note_connection(self, connection: RunConnection) -> None:
        scope = self._translator.find_scope()
        connection = replace(connection, agent=scope.agent, task_key=scope.task_key)
        self._link.control.note_connection(connection)

    def _timeout_failure(self) -> RunFailure:
        return RunFailure(
            code="run-timeout",
            message=f"The run exceeded its time limit of {self._link.spec.timeout_seconds:g} seconds.",
            hint="Resume it to continue with the full time limit; the timeline shows what took the time.",
        )
