"""Runs crews in child processes, so that one crew can block neither the server nor other crews for long."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from crewai_runner.domain.run import RunFailure
from crewai_runner.executor.attempt_loss import AttemptLost
from crewai_runner.executor.hosts.crew_host import CrewHost
from crewai_runner.executor.hosts.frames import FrameKind
from crewai_runner.executor.hosts.host_config import HostConfig, HostLimits
from crewai_runner.executor.hosts.messages import CompleteRequest, EmbedRequest
from crewai_runner.executor.hosts.observer import HostObserver
from crewai_runner.executor.hosts.pool import HostPool
from crewai_runner.executor.hosts.work import HostedAttempt, HostedCall, HostedEmbedding
from crewai_runner.executor.port import (
    EngineState,
    EngineStatus,
    EventSink,
    Failed,
    ModelBinding,
    ModelCallFailed,
    ModelCompletion,
    Outcome,
    RunControl,
    RunSpec,
    Stopped,
)


class HostedExecutor:
    """Spreads attempts over `size` crew hosts; CrewAI is not imported in this process."""

    def __init__(
        self,
        config: HostConfig,
        size: int,
        limits: HostLimits | None = None,
        observer: HostObserver | None = None,
    ) -> None:
        self._config, self._size, self._limits = config, size, limits or HostLimits()
        self._observer = observer
        self.pool: HostPool | None = None
        self._started = asyncio.Event()

    def status(self) -> EngineStatus:
        return self.pool.status() if self.pool else EngineStatus(EngineState.LOADING)

    async def load(self) -> None:
        """Start the hosts. Call once; a failure is in the status."""
        self.pool = HostPool(self._config, self._size, self._limits, self._observer)
        await self.pool.start()
        self._started.set()

    async def close(self) -> None:
        """End the hosts."""
        if self.pool is not None:
            await self.pool.close()

    async def execute(self, spec: RunSpec, sink: EventSink, control: RunControl) -> Outcome:
        """Run one attempt in a host. Raises AttemptLost when the host is gone."""
        pool = await self._ready_pool()
        host = await (pool.acquire_alone(control) if spec.alone else pool.acquire(control))
        if host is None:
            return Stopped() if control.stop_mode is not None else self._unavailable()
        try:
            return await self._execute_in(host, spec, sink, control)
        finally:
            if spec.alone:
                pool.release_alone(host)

    async def _execute_in(
        self, host: CrewHost, spec: RunSpec, sink: EventSink, control: RunControl
    ) -> Outcome:
        number, send = host.reserve()
        attempt = HostedAttempt(sink, control, send)
        host.begin(number, attempt, FrameKind.EXECUTE, spec)
        control.forward_to(attempt)
        try:
            outcome = await asyncio.shield(attempt.outcome)
        except asyncio.CancelledError:
            await asyncio.shield(attempt.cancel())
            raise
        finally:
            host.forget(number)
        if isinstance(outcome, Stopped) and outcome.abandoned:
            host.retire("abandoned work")
        return outcome

    async def complete(
        self,
        model: ModelBinding,
        messages: Sequence[Mapping[str, str]],
        on_text: Callable[[str], Awaitable[None]] | None = None,
    ) -> ModelCompletion:
        """Make one model call in a host. Raises ModelCallFailed."""
        pool = await self._ready_pool()
        host = await pool.acquire()
        if host is None:
            raise ModelCallFailed(self._unavailable().failure)
        request = CompleteRequest(model, [dict(message) for message in messages], on_text is not None)
        number, send = host.reserve()
        call = HostedCall(send, on_text)
        host.begin(number, call, FrameKind.COMPLETE, request)
        try:
            return await call.completion()
        except AttemptLost as error:
            raise ModelCallFailed(_lost_call()) from error
        finally:
            host.forget(number)

    async def embed(self, model: ModelBinding, texts: Sequence[str]) -> list[list[float]]:
        """Embed texts in a host. Raises ModelCallFailed."""
        pool = await self._ready_pool()
        host = await pool.acquire()
        if host is None:
            raise ModelCallFailed(self._unavailable().failure)
        number, send = host.reserve()
        work = HostedEmbedding(send)
        host.begin(number, work, FrameKind.EMBED, EmbedRequest(model, list(texts)))
        try:
            return await work.vectors()
        except AttemptLost as error:
            raise ModelCallFailed(_lost_call()) from error
        finally:
            host.forget(number)

    async def _ready_pool(self) -> HostPool:
        await self._started.wait()
        if self.pool is None:
            raise RuntimeError("the executor was not loaded")
        return self.pool

    def _unavailable(self) -> Failed:
        return Failed(
            RunFailure(
                code="engine-unavailable",
                message=f"CrewAI could not be loaded: {self.status().message}",
                hint="See the server's log from its start.",
            )
        )


def _lost_call() -> RunFailure:
    return RunFailure(
        code="engine-lost",
        message="The process that called the model ended unexpectedly.",
        hint="Try it again.",
    )
