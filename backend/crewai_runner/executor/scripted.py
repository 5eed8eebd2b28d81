"""An executor for tests of what stands above it: tells the events it is given and ends as it is told."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from crewai_runner.domain.run import RunResult
from crewai_runner.domain.run_events import RunEvent
from crewai_runner.domain.usage import Usage
from crewai_runner.executor.port import (
    Completed,
    EngineState,
    EngineStatus,
    EventSink,
    ModelAnswer,
    ModelBinding,
    Outcome,
    RunControl,
    RunSpec,
    Stopped,
)


@dataclass(frozen=True, slots=True)
class Script:
    """One attempt: `events` in order, then `outcome`; with `gate`, the outcome waits until it is set."""

    events: Sequence[RunEvent] = ()
    outcome: Outcome = Completed(RunResult(raw="done"))  # noqa: RUF009 - frozen
    gate: asyncio.Event | None = None


class ScriptedExecutor:
    """Plays one script per attempt, in the order given, the last one again and again.

    Obeys a stop: once stopped it tells no further event and its outcome is `Stopped`. `specs` holds
    every attempt that was asked for. An error among the scripts is raised instead.
    """

    def __init__(self, *scripts: Script | Exception, answer: str = "answer") -> None:
        self._scripts = list(scripts) or [Script()]
        self._answer = answer
        self.specs: list[RunSpec] = []
        self.questions: list[list[dict[str, str]]] = []

    async def load(self) -> None:
        """Ready from the start."""

    def status(self) -> EngineStatus:
        return EngineStatus(EngineState.READY, name="scripted", version="1", native=True)

    async def execute(self, spec: RunSpec, sink: EventSink, control: RunControl) -> Outcome:
        self.specs.append(spec)
        script = self._scripts.pop(0) if len(self._scripts) > 1 else self._scripts[0]
        if isinstance(script, Exception):
            raise script
        for event in script.events:
            if control.stop_mode is not None:
                return Stopped()
            sink(event.model_copy(update={"run_id": spec.run_id}))
            await asyncio.sleep(0)  # a stop may come between two events
        if script.gate is not None:
            await _opened(script.gate, control)
        return script.outcome if control.stop_mode is None else Stopped()

    async def ask(
        self,
        model: ModelBinding,  # noqa: ARG002 - the port's signature
        messages: Sequence[Mapping[str, str]],
        on_text: Callable[[str], Awaitable[None]] | None = None,
    ) -> ModelAnswer:
        """The scripted answer, in one piece."""
        self.questions.append([dict(message) for message in messages])
        if on_text is not None:
            await on_text(self._answer)
        return ModelAnswer(text=self._answer, usage=Usage(llm_calls=1))


async def _opened(gate: asyncio.Event, control: RunControl) -> None:
    """Wait until the gate opens or the run must end now."""
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()

    def ring() -> None:
        with contextlib.suppress(RuntimeError):  # the loop is gone: nobody waits any more
            loop.call_soon_threadsafe(stopped.set)

    control.on_stop(ring)
    waiting = [asyncio.ensure_future(event.wait()) for event in (gate, stopped)]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in waiting:
            one.cancel()
