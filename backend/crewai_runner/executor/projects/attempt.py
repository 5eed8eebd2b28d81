"""One attempt of a project run: its gateway, proxy, bridge and process, from start to outcome."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.core.egress_policy import EgressPolicy as ProxyPolicy
from crewai_runner.core.host_patterns import parse_host_pattern
from crewai_runner.core.secret_mask import TextMask
from crewai_runner.domain.budget import BudgetLimit
from crewai_runner.domain.run import RunFailure, StopMode
from crewai_runner.domain.run_event_payloads import WarningRaisedData
from crewai_runner.domain.run_events import WarningRaised
from crewai_runner.executor.port import (
    EventSink,
    Failed,
    NeedsHuman,
    Outcome,
    RunControl,
    RunSpec,
    Stopped,
    UserMessage,
)
from crewai_runner.executor.project_code import ProjectCode
from crewai_runner.executor.projects.bridge.environment import EnvironmentOptions, build_environment
from crewai_runner.executor.projects.bridge.log_lines import LogLines
from crewai_runner.executor.projects.bridge.messages import (
    InputRequestedMessage,
    StartMessage,
)
from crewai_runner.executor.projects.bridge.server import BridgeServer
from crewai_runner.executor.projects.bridge.translator import warn_without_model_call
from crewai_runner.executor.projects.build.environment_store import BuiltEnvironment
from crewai_runner.executor.projects.egress_ledger import EgressLedger
from crewai_runner.executor.projects.gateway.server import serve_gateway
from crewai_runner.executor.projects.gateway.session import GatewaySession, GatewaySpec
from crewai_runner.executor.projects.outcomes import build_completed, find_failure
from crewai_runner.executor.projects.run_folders import RunFolders
from crewai_runner.executor.projects.sandbox.egress_proxy import EgressProxy
from crewai_runner.executor.projects.sandbox.port import (
    BRIDGE_SOCKET,
    EGRESS_SOCKET,
    GATEWAY_SOCKET,
    EndCause,
    Folders,
    Sandbox,
    SandboxExit,
    SandboxProcess,
    SandboxSpec,
)
from crewai_runner.executor.projects.task_record import RecordingTranslator, TaskRecord, restore_tasks

POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class AttemptPlace:
    """Where an attempt runs, and what it may reach."""

    sandbox: Sandbox
    folders: RunFolders
    environment: BuiltEnvironment
    model_egress: EgressPolicy | None
    tool_egress: ProxyPolicy


class ProjectAttempt:
    """Use once."""

    def __init__(
        self,
        spec: RunSpec,
        code: ProjectCode,
        place: AttemptPlace,
        sink: EventSink,
        control: RunControl,
        record: TaskRecord,
    ) -> None:
        self._spec, self._code, self._place = spec, code, place
        self._sink, self._control, self._hashes = sink, control, record.hashes
        self._loop = asyncio.get_running_loop()
        self._stop, self._deadline = asyncio.Event(), asyncio.Event()
        self._review: asyncio.Future[NeedsHuman] = self._loop.create_future()
        self._revision = spec.revision
        values = [value.get_secret_value() for value in code.secrets.values()]
        self._mask_hosts = TextMask([*values, *(value.lower() for value in values)])
        finished = restore_tasks(spec.finished_tasks, record.hashes)
        self._translator = RecordingTranslator(
            spec.run_id, finished, TextMask(values), record.hashes, record.save_soon
        )
        self._session = GatewaySession(self._gateway_spec(), sink, control)

    async def run(self) -> Outcome:
        """Execute the project to its outcome. Cancelled, it leaves no process behind."""
        place, sockets = self._place, self._place.folders.sockets
        start = StartMessage(
            entry=self._code.entry_point,
            import_paths=self._code.inspection.import_paths,
            inputs=self._spec.inputs,
            finished_tasks=list(restore_tasks(self._spec.finished_tasks, self._hashes).values()),
        )
        self._control.on_stop(lambda: self._call_soon(self._stop.set))
        self._control.forward_to(_StopAfterStep(lambda: self._call_soon(self._stop_after_step)))
        patterns = tuple(parse_host_pattern(host) for host in self._code.allowed_hosts)
        ledger = EgressLedger(self._spec.run_id, self._warn, self._mask_hosts)
        proxy = EgressProxy(place.tool_egress, patterns, ledger.note)
        async with contextlib.AsyncExitStack() as stack:
            stack.callback(ledger.write_log)
            await stack.enter_async_context(
                serve_gateway(self._session, sockets / GATEWAY_SOCKET, place.model_egress)
            )
            await proxy.start(sockets / EGRESS_SOCKET)
            stack.push_async_callback(proxy.close)
            bridge = BridgeServer(sockets / BRIDGE_SOCKET, start, self._translator, self._sink, self._ask)
            await stack.enter_async_context(bridge)
            return await self._supervise(bridge)

    async def _supervise(self, bridge: BridgeServer) -> Outcome:
        """Start the process, wait for its end or for a reason to end it, and return the outcome."""
        lines = LogLines(self._spec.run_id, self._sink)
        process = await self._place.sandbox.start(self._sandbox_spec(), lines.feed)
        timers = self._start_timers()
        try:
            exited = await self._wait(process)
            await bridge.wait_disconnected()
        finally:
            for timer in timers:
                timer.cancel()
            self._session.close()
            await asyncio.shield(process.kill())
            lines.close()
        return self._find_outcome(exited, bridge)

    async def _wait(self, process: SandboxProcess) -> SandboxExit:
        """Wait for the end of the process; end it on a stop, a used-up budget, a review or a deadline."""
        ending = asyncio.ensure_future(process.wait())
        reasons = [
            asyncio.ensure_future(event.wait())
            for event in (self._stop, self._deadline, self._session.limit_reached)
        ]
        try:
            waits: list[asyncio.Future[Any]] = [ending, self._review, *reasons]
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            if ending.done():
                return ending.result()
            self._session.close()
            return await process.terminate()
        finally:
            for task in (ending, *reasons):
                task.cancel()

    def _find_outcome(self, exited: SandboxExit, bridge: BridgeServer) -> Outcome:
        if self._stop.is_set() or self._control.is_stopping_now:
            killed = ("a process of the project, which was killed",)
            return Stopped(
                llm_calls_in_flight=self._session.llm_calls_in_flight,
                llm_calls_after_stop=self._session.llm_calls_after_stop,
                abandoned=killed if exited.cause is EndCause.KILLED else (),
            )
        ended = self._session.out_of_budget() or (self._review.result() if self._review.done() else None)
        if ended is not None:
            return ended
        if self._deadline.is_set():
            return Failed(self._timeout_failure())
        failure = find_failure(exited, bridge.result)
        if failure is not None:
            return Failed(failure)
        calls = self._session.total_usage().llm_calls
        if (warning := warn_without_model_call(self._spec.run_id, calls)) is not None:
            self._sink(warning)
        return build_completed(bridge, self._translator)

    async def _ask(self, request: InputRequestedMessage) -> str | None:
        """Answer with the feedback of a reviewer, or end the attempt until there is one."""
        key = request.task_key
        if request.kind != "review" or key is None:
            self._warn("input-unavailable", "The project asks for input, which a run cannot give it.")
            return None
        if self._revision is not None and self._revision.task_key == key:
            revision, self._revision = self._revision, None
            return revision.feedback
        if not self._review.done():
            agent = self._translator.find_scope().agent or ""
            self._review.set_result(NeedsHuman(key, agent, request.output or request.prompt))
        await asyncio.Event().wait()  # the process is ended
        return None

    def _gateway_spec(self) -> GatewaySpec:
        spec = self._spec
        return GatewaySpec(
            run_id=spec.run_id,
            models=spec.models,
            model_map=self._code.model_map,
            budget=spec.budget,
            prior_usage=spec.prior_usage,
            budget_seconds_used=spec.budget_seconds_used,
            find_scope=self._translator.find_scope,
        )

    def _sandbox_spec(self) -> SandboxSpec:
        place = self._place
        folders = Folders(
            work=place.folders.work,
            environment=place.environment.directory,
            sockets=place.folders.sockets,
        )
        layout = place.sandbox.lay_out(folders, place.environment.interpreter)
        secrets = {name: value.get_secret_value() for name, value in self._code.secrets.items()}
        options = EnvironmentOptions.of_layout(layout, self._session.token, secrets)
        return SandboxSpec(
            (f"{layout.environment}/bin/python", "-m", "crewai_runner_bridge"),
            folders,
            layout,
            environment=build_environment(options),
            directory=f"{layout.work}/{self._code.entry_point.working_directory}",
            interpreter=place.environment.interpreter,
        )

    def _start_timers(self) -> list[asyncio.TimerHandle]:
        spec, timers = self._spec, []
        if spec.timeout_seconds is not None:
            left = max(0.0, spec.timeout_seconds - spec.timeout_seconds_used)
            timers.append(self._loop.call_later(left, self._deadline.set))
        if spec.budget.max_seconds is not None:
            left = max(0.0, spec.budget.max_seconds - spec.budget_seconds_used)
            timers.append(self._loop.call_later(left, self._session.note_limit, BudgetLimit.SECONDS))
        return timers

    def _stop_after_step(self) -> None:
        """Stop as soon as no model call is in progress."""
        if self._session.open_calls:
            self._loop.call_later(POLL_SECONDS, self._stop_after_step)
        else:
            self._stop.set()

    def _call_soon(self, callback: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(callback)

    def _warn(self, code: str, message: str) -> None:
        data = WarningRaisedData(code=code, message=message)
        self._sink(WarningRaised(run_id=self._spec.run_id, data=data))

    def _timeout_failure(self) -> RunFailure:
        return RunFailure(
            code="run-timeout",
            message=f"The run exceeded its time limit of {self._spec.timeout_seconds:g} seconds.",
            hint="Resume it to continue with the full time limit; the timeline shows what took the time.",
        )


@dataclass(frozen=True, slots=True)
class _StopAfterStep:
    """Receives stops that wait for the current step. Messages to agents are not delivered to projects."""

    request: Callable[[], None]

    def stop(self, mode: StopMode, age_seconds: float) -> None:
        del age_seconds
        if mode is StopMode.AFTER_STEP:
            self.request()

    def send_message(self, message: UserMessage) -> None:
        """Leave the message undelivered."""
