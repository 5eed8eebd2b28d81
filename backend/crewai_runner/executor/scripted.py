"""A test double of the executor: emits scripted events and returns scripted outcomes."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from string import ascii_lowercase

from crewai_runner.domain.run import RunFailure, RunResult
from crewai_runner.domain.run_events import RunEvent
from crewai_runner.domain.usage import Usage
from crewai_runner.executor.port import (
    Completed,
    EngineState,
    EngineStatus,
    EventSink,
    ModelBinding,
    ModelCallFailed,
    ModelCompletion,
    Outcome,
    RunControl,
    RunSpec,
    Stopped,
)


@dataclass(frozen=True, slots=True)
class Script:
    """One attempt: `events` in order, then `outcome`, after `gate` is set if there is one."""

    events: Sequence[RunEvent] = ()
    outcome: Outcome = Completed(RunResult(raw="done"))  # noqa: RUF009 - frozen
    gate: asyncio.Event | None = None


class ScriptedExecutor:
    """Runs one script per attempt, in the order given, and repeats the last one.

    After a stop request no further event is emitted and the outcome is `Stopped`. `specs` records the
    attempts, `prompts` the messages of each model call, `embedded` the texts of each embedding. An exception
    in `scripts` is raised.
    """

    def __init__(self, *scripts: Script | Exception, answer: str = "answer") -> None:
        self._scripts = list(scripts) or [Script()]
        self._answer = answer
        self.specs: list[RunSpec] = []
        self.prompts: list[list[dict[str, str]]] = []
        self.embedded: list[list[str]] = []
        self.embedding_failure: RunFailure | None = None

    async def load(self) -> None:
        """Do nothing: there is nothing to load."""

    async def close(self) -> None:
        """Do nothing: nothing was started."""

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
            await asyncio.sleep(0)  # lets a stop request take effect between two events
        if script.gate is not None:
            await _wait_for_gate(script.gate, control)
        return script.outcome if control.stop_mode is None else Stopped()

    async def complete(
        self,
        model: ModelBinding,  # noqa: ARG002 - the port's signature
        messages: Sequence[Mapping[str, str]],
        on_text: Callable[[str], Awaitable[None]] | None = None,
    ) -> ModelCompletion:
        """Return the scripted answer, streamed as one piece."""
        self.prompts.append([dict(message) for message in messages])
        if on_text is not None:
            await on_text(self._answer)
        return ModelCompletion(text=self._answer, usage=Usage(llm_calls=1))

    async def embed(
        self,
        model: ModelBinding,  # noqa: ARG002 - the port's signature
        texts: Sequence[str],
    ) -> list[list[float]]:
        """Count letters: texts with the same letters are similar."""
        self.embedded.append(list(texts))
        if self.embedding_failure is not None:
            raise ModelCallFailed(self.embedding_failure)
        return [[float(text.lower().count(letter)) for letter in ascii_lowercase] for text in texts]


async def _wait_for_gate(gate: asyncio.Event, control: RunControl) -> None:
    """Wait until the gate is set or the attempt must end now."""
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()

    def set_stopped() -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(stopped.set)

    control.on_stop(set_stopped)
    waiters = [asyncio.ensure_future(event.wait()) for event in (gate, stopped)]
    try:
        await asyncio.wait(waiters, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for waiter in waiters:
            waiter.cancel()
