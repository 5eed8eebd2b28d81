"""One crew host, as its worker sees it: a process, a connection, and what the process works on."""

import asyncio
import itertools
import multiprocessing
import socket
import sys
from collections.abc import Callable
from enum import StrEnum
from multiprocessing.process import BaseProcess

from crewai_runner.core.logging import get_logger
from crewai_runner.executor.attempt_loss import LossReason
from crewai_runner.executor.hosts.frames import FrameConnection, FrameKind
from crewai_runner.executor.hosts.host_config import HostConfig
from crewai_runner.executor.hosts.messages import STATUS, ToHost, encode_request
from crewai_runner.executor.hosts.observer import HostObserver
from crewai_runner.executor.hosts.scheduling import Scheduling
from crewai_runner.executor.hosts.work import HostWork, SendFrame
from crewai_runner.executor.port import EngineState, EngineStatus

log = get_logger(__name__)
EXIT_SECONDS = 2.0
STARVED_CHECK = 1 / 6
"""How much a check without a sign of life counts while the host gets no processor."""
# Elsewhere system libraries may not survive a fork.
_CONTEXT = multiprocessing.get_context("forkserver" if sys.platform == "linux" else "spawn")
if sys.platform == "linux":
    _CONTEXT.set_forkserver_preload(["crewai_runner.executor.hosts.preload"])


class HostState(StrEnum):
    STARTING = "starting"
    READY = "ready"
    RETIRING = "retiring"
    """Finishes its work and takes no more."""
    GONE = "gone"


class CrewHost:
    """Call `start` once. `on_change` is called when the state or the amount of work changes."""

    def __init__(
        self,
        name: str,
        config: HostConfig,
        on_change: Callable[[], None],
        observer: HostObserver | None = None,
    ) -> None:
        self.name = name
        self.state = HostState.STARTING
        self.status = EngineStatus(EngineState.LOADING)
        self.memory_mb = 0
        self.attempts_started = 0
        self.silent_checks = 0.0
        self._scheduling: Scheduling | None = None
        self._config, self._on_change, self._observer = config, on_change, observer
        self._numbers = itertools.count(1)
        self._work: dict[int, HostWork] = {}
        self._process: BaseProcess | None = None
        self._connection: FrameConnection | None = None

    @property
    def load(self) -> int:
        """How many attempts and model calls it works on."""
        return len(self._work)

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    async def start(self) -> None:
        """Start the process. Raises OSError or EOFError if it cannot be started."""
        own, other = socket.socketpair()
        try:
            with other:
                await self._start_process(other)
            own.setblocking(False)
            _, self._connection = await asyncio.get_running_loop().create_unix_connection(
                lambda: FrameConnection(self._on_frame), sock=own
            )
        except BaseException:
            own.close()  # a process that starts nevertheless exits
            raise
        self._connection.closed.add_done_callback(lambda _closed: self._lose(LossReason.DIED))

    async def _start_process(self, channel: socket.socket) -> None:
        from crewai_runner.executor.hosts.host_process import run_host  # noqa: PLC0415 - heavy

        self._process = _CONTEXT.Process(  # type: ignore[attr-defined]
            target=run_host, args=(channel, self._config), name=self.name, daemon=True
        )
        await asyncio.to_thread(self._process.start)  # waits until CrewAI is preloaded

    def reserve(self) -> tuple[int, SendFrame]:
        """Return the number of the next piece of work, and how to send frames about it."""
        number = next(self._numbers)
        return number, lambda kind, payload: self._send(kind, number, payload)

    def begin(self, number: int, work: HostWork, kind: FrameKind, request: ToHost) -> None:
        """Send an attempt or a model call to the host."""
        self._work[number] = work
        self.attempts_started += 1
        self._send(kind, number, encode_request(request))

    def forget(self, number: int) -> None:
        """Forget work that has ended."""
        self._work.pop(number, None)
        self._on_change()

    def ping(self) -> None:
        """Ask for a sign of life, and count the checks since the last one."""
        self.silent_checks += STARVED_CHECK if self._is_starved() else 1
        self._send(FrameKind.PING, 0, b"")

    def _is_starved(self) -> bool:
        """Whether a silent host gets no processor: a busy machine is no reason to kill it."""
        if not self.silent_checks or self.pid is None:
            self._scheduling = None
            return False
        before, self._scheduling = self._scheduling, Scheduling.of(self.pid)
        return bool(before and self._scheduling and self._scheduling.was_starved_since(before))

    def retire(self, reason: str) -> None:
        """Take no further work."""
        if self.state in (HostState.STARTING, HostState.READY):
            log.info("crew_host.retired", host=self.name, reason=reason, memory_mb=self.memory_mb)
            self.state = HostState.RETIRING
            if self._observer is not None:
                self._observer.host_retired(reason)
            self._on_change()

    def kill(self, reason: LossReason) -> None:
        """End the process at once; its attempts are lost for this reason."""
        log.warning("crew_host.killed", host=self.name, reason=reason, work=self.load)
        if self._process is not None:
            self._process.kill()
        self._lose(reason)

    async def close(self) -> None:
        """End the process, which is given a moment to exit by itself."""
        self._end_work(LossReason.DIED)
        if self._process is None:
            return
        await asyncio.to_thread(self._process.join, EXIT_SECONDS)
        if self._process.is_alive():
            self._process.kill()
            await asyncio.to_thread(self._process.join, EXIT_SECONDS)

    def _send(self, kind: FrameKind, number: int, payload: bytes) -> None:
        if self._connection is not None:
            self._connection.send(kind, number, payload)

    def _on_frame(self, kind: FrameKind, number: int, payload: bytes) -> None:
        self.silent_checks = 0
        if kind is FrameKind.PONG:
            self.memory_mb = int(payload)
        elif kind is FrameKind.READY:
            self.status = STATUS.validate_json(payload)
            if self.state is HostState.STARTING:
                self.state = HostState.READY
            self._on_change()
        elif (work := self._work.get(number)) is not None:
            work.on_frame(kind, payload)

    def _lose(self, reason: LossReason) -> None:
        if self.state is not HostState.GONE:
            if self._observer is not None:
                self._observer.host_lost(reason)
            self._end_work(reason)

    def _end_work(self, reason: LossReason) -> None:
        if self.state is HostState.GONE:
            return
        self.state = HostState.GONE
        if self._connection is not None:
            self._connection.close()
        for work in list(self._work.values()):
            work.lose(reason)
        self._on_change()
