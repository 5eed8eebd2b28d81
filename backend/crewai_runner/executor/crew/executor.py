"""Runs crews with CrewAI in this process. CrewAI is not imported before `load`."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from crewai_runner.core.collection_pause import collection_paused
from crewai_runner.core.egress import EgressPolicy
from crewai_runner.domain.run import RunFailure
from crewai_runner.executor.crew.attempt.start_queue import StartQueue
from crewai_runner.executor.crew.compat import environment, patches
from crewai_runner.executor.crew.compat.delegation import replace_delegation
from crewai_runner.executor.mcp.commands import CommandStarter
from crewai_runner.executor.port import (
    EngineState,
    EngineStatus,
    EventSink,
    Failed,
    ModelBinding,
    ModelCompletion,
    Outcome,
    RunControl,
    RunSpec,
    Stopped,
)

if TYPE_CHECKING:
    from crewai_runner.executor.crew.build.component_factory import ComponentFactory

logger = logging.getLogger(__name__)

STOP_GRACE_SECONDS = 0.7
_Result = TypeVar("_Result")


class CrewExecutor:
    """Runs each attempt in its own thread; the caller limits their number.

    `data_dir` is CrewAI's folder. `egress` restricts the addresses of models,
    `tool_egress` those of tools. `starts_at_once` is how many attempts build their crews at a time.
    `mcp_commands` starts the MCP servers that are commands.
    """

    def __init__(
        self,
        data_dir: Path,
        egress: EgressPolicy | None = None,
        tool_egress: EgressPolicy | None = None,
        *,
        starts_at_once: int = 2,
        mcp_commands: CommandStarter | None = None,
    ) -> None:
        self._data_dir = data_dir
        self._egress = egress
        self._tool_egress = tool_egress
        self._mcp_commands = mcp_commands
        self._loaded: Future[ComponentFactory | None] = Future()
        self._status = EngineStatus(EngineState.LOADING)
        self._starts = StartQueue(starts_at_once)

    def status(self) -> EngineStatus:
        return self._status

    async def load(self) -> None:
        """Import CrewAI in a thread and run the self-test. Call once; a failure is in the status."""
        try:
            factory = await asyncio.to_thread(self._create_factory)
            self._loaded.set_result(factory)
        except Exception as error:
            logger.exception("CrewAI could not be loaded")
            self._status = EngineStatus(EngineState.FAILED, message=f"{type(error).__name__}: {error}")
            self._loaded.set_result(None)

    def _create_factory(self) -> "ComponentFactory":
        with collection_paused():
            return self._import_engine()

    def _import_engine(self) -> "ComponentFactory":
        environment.import_engine(self._data_dir)
        # Import every module that needs CrewAI now, so that no run has to wait for it.
        from crewai_runner.executor.crew.attempt import attempt  # noqa: F401, PLC0415
        from crewai_runner.executor.crew.build.component_factory import ComponentFactory  # noqa: PLC0415
        from crewai_runner.executor.crew.llm.retry_logging import install_retry_handler  # noqa: PLC0415
        from crewai_runner.executor.crew.self_test import run_self_test  # noqa: PLC0415
        from crewai_runner.executor.tools.runners import make_runners  # noqa: PLC0415

        environment.ignore_engine_warnings()
        install_retry_handler()
        problem = asyncio.run(run_self_test())
        patches.mute_event_bus()
        replace_delegation()
        self._status = _ready_status(problem)
        return ComponentFactory(
            memory_root=self._data_dir / "memories",
            egress=self._egress,
            tool_egress=self._tool_egress,
            use_async_executor=problem is None,
            tool_runners=make_runners(self._mcp_commands),
        )

    async def execute(self, spec: RunSpec, sink: EventSink, control: RunControl) -> Outcome:
        """Run one attempt to its outcome. Cancelling the awaiting task stops the run at once."""
        stop_signal = _StopSignal(control)
        factory = await stop_signal.wait_unless_stopped(asyncio.shield(asyncio.wrap_future(self._loaded)))
        if factory is None:
            return Stopped() if control.stop_mode is not None else self._engine_unavailable()
        place = await stop_signal.wait_unless_stopped(self._starts.enter())
        if place is None:
            return Stopped()
        try:
            return await self._run_attempt(spec, place.watch(sink), control, factory)
        finally:
            place.release()

    async def _run_attempt(
        self, spec: RunSpec, sink: EventSink, control: RunControl, factory: "ComponentFactory"
    ) -> Outcome:
        from crewai_runner.executor.crew.attempt.attempt import Attempt  # noqa: PLC0415 - imports CrewAI
        from crewai_runner.executor.crew.attempt.deadline import Deadline  # noqa: PLC0415

        attempt = Attempt(spec, sink, control, factory)
        ended = asyncio.wrap_future(attempt.outcome)
        deadline = Deadline(spec, attempt)
        stopped = asyncio.Event()
        loop = asyncio.get_running_loop()

        def stop() -> None:
            attempt.stop()
            with contextlib.suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(stopped.set)

        attempt.start()
        control.on_stop(stop)
        try:
            await _wait_for_first(ended, stopped, deadline.passed)
            if not ended.done():
                await asyncio.wait([ended], timeout=STOP_GRACE_SECONDS)
            return ended.result() if ended.done() else attempt.detach()
        except asyncio.CancelledError:
            attempt.stop()
            attempt.discard_events()
            raise
        finally:
            deadline.cancel()

    async def close(self) -> None:
        """Do nothing: attempts end with their threads."""

    def _engine_unavailable(self) -> Failed:
        return Failed(
            RunFailure(
                code="engine-unavailable",
                message=f"CrewAI could not be loaded: {self._status.message}",
                hint="See the server's log from its start.",
            )
        )

    async def complete(
        self,
        model: ModelBinding,
        messages: Sequence[Mapping[str, str]],
        on_text: Callable[[str], Awaitable[None]] | None = None,
    ) -> ModelCompletion:
        """Make one model call outside a crew. Raises ModelCallFailed."""
        await asyncio.shield(asyncio.wrap_future(self._loaded))
        from crewai_runner.executor.crew.llm.completion import complete  # noqa: PLC0415 - imports CrewAI

        return await complete(model, messages, on_text, egress=self._egress)

    async def embed(self, model: ModelBinding, texts: Sequence[str]) -> list[list[float]]:
        """Embed texts outside a crew. Raises ModelCallFailed."""
        await asyncio.shield(asyncio.wrap_future(self._loaded))
        from crewai_runner.executor.crew.llm.embedding_call import embed  # noqa: PLC0415 - imports CrewAI

        return await embed(model, texts, egress=self._egress)


def _ready_status(problem: str | None) -> EngineStatus:
    status = EngineStatus(EngineState.READY, version=environment.engine_version(), native=True)
    if problem is None:
        return status
    message = f"CrewAI's own agent executor is in use, and stops reach the provider late: {problem}."
    return replace(status, native=False, message=message)


class _StopSignal:
    """Ends waiting when the run must end now. Create it in the event loop that waits."""

    def __init__(self, control: RunControl) -> None:
        loop = asyncio.get_running_loop()
        self._is_set = asyncio.Event()

        def set_signal() -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(self._is_set.set)

        control.on_stop(set_signal)

    async def wait_unless_stopped(self, work: Awaitable[_Result]) -> _Result | None:
        """Return the result of `work`, or None when the signal is set first."""
        task = asyncio.ensure_future(work)
        signal = asyncio.ensure_future(self._is_set.wait())
        waiters: list[asyncio.Future[Any]] = [task, signal]
        try:
            await asyncio.wait(waiters, return_when=asyncio.FIRST_COMPLETED)
            return task.result() if task.done() else None
        finally:
            signal.cancel()
            task.cancel()


async def _wait_for_first(ended: asyncio.Future[Outcome], *events: asyncio.Event) -> None:
    event_waiters = [asyncio.ensure_future(event.wait()) for event in events]
    waiters: list[asyncio.Future[Any]] = [ended, *event_waiters]
    try:
        await asyncio.wait(waiters, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for waiter in event_waiters:
            waiter.cancel()
