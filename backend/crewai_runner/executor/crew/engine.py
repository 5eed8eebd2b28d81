"""The executor: CrewAI in, our words out."""

import asyncio
import contextlib
import importlib
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.domain.run import RunFailure
from crewai_runner.executor.crew import environment
from crewai_runner.executor.port import (
    EngineState,
    EngineStatus,
    EventSink,
    Failed,
    ModelAnswer,
    ModelBinding,
    Outcome,
    RunControl,
    RunSpec,
    Stopped,
)

if TYPE_CHECKING:
    from crewai_runner.executor.crew.attempt import Attempt

logger = logging.getLogger(__name__)

STOP_GRACE_SECONDS = 0.7


class CrewExecutor:
    """Runs crews in this process, each attempt in a thread of its own, at most `max_runs` at once.

    `data_dir` is where the engine keeps memories. `egress` guards where models may be reached.
    """

    def __init__(self, data_dir: Path, max_runs: int = 32, egress: EgressPolicy | None = None) -> None:
        self._data_dir = data_dir
        self._egress = egress
        self._slots = asyncio.Semaphore(max_runs)
        self._loaded: Future[Any] = Future()
        self._status = EngineStatus(EngineState.LOADING)

    def status(self) -> EngineStatus:
        """What the engine can do now."""
        return self._status

    async def load(self) -> None:
        """Import the engine in a thread and try out what the native executor needs of it."""
        try:
            workshop = await asyncio.to_thread(self._import)
            self._loaded.set_result(workshop)
        except Exception as error:
            logger.exception("The engine could not be loaded")
            self._status = EngineStatus(EngineState.FAILED, message=f"{type(error).__name__}: {error}")
            self._loaded.set_result(None)

    def _import(self) -> Any:
        environment.import_engine(self._data_dir)
        contract = importlib.import_module("crewai_runner.executor.crew.contract")
        workshop = importlib.import_module("crewai_runner.executor.crew.workshop")
        importlib.import_module("crewai_runner.executor.crew.attempt")
        environment.ignore_own_warnings()
        importlib.import_module("crewai_runner.executor.crew.retries").listen_for_retries()
        broken = asyncio.run(contract.broken_promise())
        environment.quieten_bus()
        self._status = _ready(broken)
        return workshop.Workshop(
            memories=self._data_dir / "memories", egress=self._egress, native=broken is None
        )

    async def execute(self, spec: RunSpec, sink: EventSink, control: RunControl) -> Outcome:
        """Run one attempt to its outcome. Cancelling the awaiting task stops the run at once."""
        stopped = _Bell(control)
        workshop = await stopped.before(asyncio.shield(asyncio.wrap_future(self._loaded)))
        if workshop is None:
            return Stopped() if control.stop_mode is not None else self._not_loaded()
        if not await stopped.before(self._slots.acquire()):
            return Stopped()
        try:
            return await self._attend(spec, sink, control, workshop)
        finally:
            self._slots.release()

    async def _attend(self, spec: RunSpec, sink: EventSink, control: RunControl, workshop: Any) -> Outcome:
        module = importlib.import_module("crewai_runner.executor.crew.attempt")
        attempt: Attempt = module.Attempt(spec, sink, control, workshop)
        ended = asyncio.wrap_future(attempt.ended)
        deadline = _Deadline(spec, attempt)
        hurry = asyncio.Event()
        loop = asyncio.get_running_loop()

        def stop() -> None:
            attempt.stop()
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(hurry.set)

        attempt.start()
        control.on_stop(stop)
        try:
            await _first(ended, hurry, deadline.passed)
            if not ended.done():
                await asyncio.wait([ended], timeout=STOP_GRACE_SECONDS)
            return ended.result() if ended.done() else attempt.abandon()
        except asyncio.CancelledError:
            attempt.stop()
            attempt.story.close()
            raise
        finally:
            deadline.cancel()

    def _not_loaded(self) -> Failed:
        return Failed(
            RunFailure(
                code="engine-unavailable",
                message=f"The engine could not be loaded: {self._status.message}",
                hint="See the log of the start.",
            )
        )

    async def complete(
        self,
        model: ModelBinding,
        messages: Sequence[Mapping[str, str]],
        on_text: Callable[[str], Awaitable[None]] | None = None,
    ) -> ModelAnswer:
        """One plain model call outside any crew. Raises ModelCallFailed."""
        await asyncio.shield(asyncio.wrap_future(self._loaded))
        module = importlib.import_module("crewai_runner.executor.crew.ask")
        answer: ModelAnswer = await module.ask(model, messages, on_text, egress=self._egress)
        return answer


def _ready(broken: str | None) -> EngineStatus:
    status = EngineStatus(EngineState.READY, version=environment.version(), native=True)
    if broken is None:
        return status
    message = f"The stock executor runs, and stops reach the provider late: {broken}."
    return replace(status, native=False, message=message)


class _Bell:
    """Rings when a run is told to stop, also before it began."""

    def __init__(self, control: RunControl) -> None:
        loop = asyncio.get_running_loop()
        self._rung = asyncio.Event()

        def ring() -> None:
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self._rung.set)

        control.on_stop(ring)

    async def before(self, work: Awaitable[Any]) -> Any:
        """The result of `work`, or None when the bell rings first."""
        working = asyncio.ensure_future(work)
        ringing = asyncio.ensure_future(self._rung.wait())
        try:
            await asyncio.wait([working, ringing], return_when=asyncio.FIRST_COMPLETED)
            return working.result() if working.done() else None
        finally:
            ringing.cancel()
            working.cancel()


async def _first(ended: asyncio.Future[Any], *events: asyncio.Event) -> None:
    waiting = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait([ended, *waiting], return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in waiting:
            one.cancel()


class _Deadline:
    """Ends an attempt when its time is up, also while it hangs in one call."""

    def __init__(self, spec: RunSpec, attempt: "Attempt") -> None:
        loop = asyncio.get_running_loop()
        self.passed = asyncio.Event()
        self._attempt = attempt
        self._spec = spec
        self._timers: list[asyncio.TimerHandle] = []
        if spec.timeout_seconds is not None:
            left = max(0.0, spec.timeout_seconds - spec.timeout_seconds_used)
            self._timers.append(loop.call_later(left, self._time_out))
        budget = spec.budget.max_seconds
        if budget is not None:
            left = max(0.0, budget - spec.budget_seconds_used)
            self._timers.append(loop.call_later(left, self._out_of_budget))
            warning = max(0.0, 0.8 * budget - spec.budget_seconds_used)
            self._timers.append(loop.call_later(warning, attempt.warn_of_budget))

    def _time_out(self) -> None:
        limit = self._spec.timeout_seconds
        self._attempt.end(
            Failed(
                RunFailure(
                    code="run-timeout",
                    message=f"The run took longer than its limit of {limit:g} seconds.",
                    hint="Resume it to go on with the same time again; the timeline shows what took so long.",
                )
            )
        )
        self.passed.set()

    def _out_of_budget(self) -> None:
        self._attempt.end(self._attempt.out_of_time())
        self.passed.set()

    def cancel(self) -> None:
        for timer in self._timers:
            timer.cancel()
