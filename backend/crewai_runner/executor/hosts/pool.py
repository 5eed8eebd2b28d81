"""The crew hosts of one worker: starts, watches and replaces them."""

import asyncio
import itertools
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from crewai_runner.core.logging import get_logger
from crewai_runner.core.supervision import restart_on_error
from crewai_runner.executor.attempt_loss import LossReason
from crewai_runner.executor.hosts.crew_host import CrewHost, HostState
from crewai_runner.executor.hosts.host_config import HostConfig, HostLimits
from crewai_runner.executor.hosts.observer import HostObserver
from crewai_runner.executor.port import EngineState, EngineStatus, RunControl

log = get_logger(__name__)
CHECK_SECONDS = 1.0
MAX_HOSTS_ALONE = 8
"""Attempts that run alone at once; each may run for hours, so one must not wait for a few others."""
START_PAUSE_SECONDS = (0.0, 1.0, 5.0, 30.0)
"""Pauses before another host is started after one that could not start."""


@dataclass(slots=True)
class _Hosts:
    shared: list[CrewHost] = field(default_factory=list)
    alone: list[CrewHost] = field(default_factory=list)
    """Hosts of attempts that run alone."""


class HostPool:
    """Keeps `size` hosts ready, and starts one more for each attempt that runs alone."""

    def __init__(
        self, config: HostConfig, size: int, limits: HostLimits, observer: HostObserver | None = None
    ) -> None:
        self._config, self._size, self.limits, self._observer = config, size, limits, observer
        self._hosts = _Hosts()
        self._names = itertools.count(1)
        self._loop, self._changed = asyncio.get_running_loop(), asyncio.Event()
        self._failed_starts = 0
        self._failure: str | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False

    @property
    def hosts(self) -> list[CrewHost]:
        """All hosts, those of attempts that run alone included."""
        return [*self._hosts.shared, *self._hosts.alone]

    def status(self) -> EngineStatus:
        """The status of a ready host, else why there is none."""
        for host in self._hosts.shared:
            if host.state is HostState.READY:
                return host.status
        if self._failure is not None:
            return EngineStatus(EngineState.FAILED, message=self._failure)
        return EngineStatus(EngineState.LOADING)

    async def start(self) -> None:
        """Start the hosts; return when one is ready or could not start."""
        self._run(restart_on_error("crew-hosts", self._keep_size))
        self._run(restart_on_error("crew-host-checks", self._check_hosts))
        while self.status().state is EngineState.LOADING:
            await self._wait_for_change()

    async def acquire(self, control: RunControl | None = None) -> CrewHost | None:
        """Return the ready host with the least work; None if hosts cannot start, or at a stop request."""
        self._wake_at_stop(control)
        while True:
            ready = [host for host in self._hosts.shared if host.state is HostState.READY]
            if ready:
                return min(ready, key=lambda host: host.load)
            if self._failure is not None or _is_stopping(control):
                return None
            await self._wait_for_change()

    async def acquire_alone(self, control: RunControl) -> CrewHost | None:
        """Return a new host for one attempt, None like `acquire`. Pass it to `release_alone`."""
        self._wake_at_stop(control)
        while len(self._hosts.alone) >= MAX_HOSTS_ALONE:
            if _is_stopping(control):
                return None
            await self._wait_for_change()
        host = self._new_host()
        self._hosts.alone.append(host)
        try:
            await self._start(host)
            while host.state is HostState.STARTING and not _is_stopping(control):
                await self._wait_for_change()
        except BaseException:
            self.release_alone(host)
            raise
        if host.state is HostState.READY:
            return host
        self.release_alone(host)
        return None

    def release_alone(self, host: CrewHost) -> None:
        """End the host of an attempt that ran alone."""
        self._hosts.alone.remove(host)
        self._changed.set()
        self._run(host.close())

    async def close(self) -> None:
        """End all hosts."""
        self._closing = True
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(host.close() for host in self.hosts), return_exceptions=True)

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _wake_at_stop(self, control: RunControl | None) -> None:
        def wake() -> None:
            self._loop.call_soon_threadsafe(self._changed.set)

        if control is not None:
            control.on_stop(wake)

    def _new_host(self) -> CrewHost:
        return CrewHost(f"crew-host-{next(self._names)}", self._config, self._changed.set, self._observer)

    async def _wait_for_change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    async def _start(self, host: CrewHost) -> None:
        try:
            await host.start()
        except (OSError, EOFError) as error:
            log.exception("crew_host.not_started")
            host.state = HostState.GONE
            self._failure = f"A crew host could not be started: {type(error).__name__}: {error}"
            self._changed.set()

    async def _keep_size(self) -> None:
        """Replace hosts that are gone, and end those that retire once they have no work."""
        while True:
            await self._remove_finished()
            usable = [host for host in self._hosts.shared if host.state is not HostState.RETIRING]
            for _ in range(self._size - len(usable)):
                host = self._new_host()
                self._hosts.shared.append(host)
                self._run(self._start(host))
            await self._wait_for_change()
            await self._pause_after_failures()

    async def _remove_finished(self) -> None:
        for host in list(self._hosts.shared):
            is_finished = host.state is HostState.RETIRING and host.load == 0
            if is_finished or host.state is HostState.GONE:
                self._hosts.shared.remove(host)
                self._run(host.close())
                if host.status.state is EngineState.LOADING:
                    self._failed_starts += 1
                    self._failure = self._failure or "A crew host ended while it started; see the log."

    async def _pause_after_failures(self) -> None:
        if any(host.state is HostState.READY for host in self._hosts.shared):
            self._failed_starts, self._failure = 0, None
        await asyncio.sleep(START_PAUSE_SECONDS[min(self._failed_starts, len(START_PAUSE_SECONDS) - 1)])

    async def _check_hosts(self) -> None:
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            for host in self.hosts:
                if host.state in (HostState.READY, HostState.RETIRING):
                    self.judge(host, memory_mb=host.memory_mb)
                    host.ping()

    def judge(self, host: CrewHost, *, memory_mb: int) -> None:
        """Kill a host that does not answer or uses too much memory; retire one that has done enough."""
        limits = self.limits
        # Counted, not timed: a pause of this process is no silence of a host.
        if host.silent_checks * CHECK_SECONDS >= limits.timeout_seconds:
            host.kill(LossReason.FROZEN)
        elif memory_mb > 2 * limits.memory_mb:
            host.kill(LossReason.OUT_OF_MEMORY)
        elif memory_mb > limits.memory_mb:
            host.retire("memory")
        elif host.attempts_started >= limits.max_attempts:
            host.retire("age")


def _is_stopping(control: RunControl | None) -> bool:
    return control is not None and control.is_stopping_now
