"""Keeps the built-in model running: starts it, watches it, starts it again when it dies."""

import asyncio
import secrets
import time
from concurrent.futures import Future
from contextlib import suppress
from urllib.parse import urlsplit

import structlog
from pydantic import SecretStr

from crewai_runner.core.settings import LocalModelMode
from crewai_runner.localmodel.install import ModelFile, installed_model, missing_reason
from crewai_runner.localmodel.process import ChildDied, ChildProcess, ChildRefused
from crewai_runner.localmodel.status import (
    Endpoint,
    LocalModelState,
    LocalModelStatus,
    LocalModelUnavailable,
    Patience,
)

__all__ = [
    "Endpoint",
    "LocalModel",
    "LocalModelMode",
    "LocalModelState",
    "LocalModelStatus",
    "LocalModelUnavailable",
    "Patience",
]

_log = structlog.get_logger(__name__)

_LONG_ENOUGH_SECONDS = 60.0


class LocalModel:
    """The built-in model of this process. `start` and `stop` belong to one event loop; the rest to any.

    Address and token stay the same over restarts where the port is still free, so that a run in progress
    needs only to try again.
    """

    def __init__(
        self,
        mode: LocalModelMode = LocalModelMode.AUTO,
        *,
        model: ModelFile | None = None,
        patience: Patience | None = None,
    ) -> None:
        self._mode = mode
        self._model = model
        self._patience = patience or Patience()
        self.token = SecretStr(secrets.token_urlsafe(32))
        self._port = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._child: ChildProcess | None = None
        self._ready = _promise()
        self._status = LocalModelStatus(LocalModelState.OFF, "Not started.")

    @property
    def pid(self) -> int | None:
        """The process that holds the model now, if there is one."""
        return self._child.pid if self._child else None

    def available(self) -> str | None:
        """Why the model cannot be used on this installation, in words for the user; None when it can."""
        if self._mode is LocalModelMode.OFF:
            return "The built-in model is switched off (LOCAL_MODEL=off)."
        return missing_reason()

    def status(self) -> LocalModelStatus:
        if self._mode is LocalModelMode.OFF:
            return LocalModelStatus(LocalModelState.OFF, "Switched off (LOCAL_MODEL=off).")
        if self._task is None and (reason := missing_reason()):
            return LocalModelStatus(LocalModelState.MISSING, reason)
        return self._status

    async def start(self) -> None:
        """Begin as the mode says; returns at once except in mode `eager`.

        Raises LocalModelUnavailable in mode `eager` only.
        """
        self._loop = asyncio.get_running_loop()
        if self._task is None:
            self._ready = _promise()
        if self._mode is LocalModelMode.EAGER:
            await self.endpoint()
        elif self._mode is LocalModelMode.AUTO and self.available() is None:
            self._begin()
        elif self._mode is LocalModelMode.LAZY:
            self._status = LocalModelStatus(LocalModelState.OFF, "Starts when it is first used.")

    async def endpoint(self, timeout_seconds: float | None = None) -> Endpoint:
        """Where to reach the model, once it is ready.

        Waits at most `timeout_seconds` (None: as long as a start may take). Raises LocalModelUnavailable.
        """
        if reason := self.available():
            raise LocalModelUnavailable(reason)
        if self._loop is None:
            raise LocalModelUnavailable("The built-in model is stopped.")
        if self._task is None:
            self._loop.call_soon_threadsafe(self._begin)
        try:
            async with asyncio.timeout(timeout_seconds or self._patience.start_timeout):
                return await asyncio.wrap_future(self._ready)
        except TimeoutError as error:
            raise LocalModelUnavailable(f"The built-in model is not ready. {self._status.message}") from error

    async def healthy(self) -> bool:
        """Ask the model's server for a sign of life now."""
        if not self._ready.done() or self._ready.exception():
            return False
        try:
            async with asyncio.timeout(self._patience.probe_timeout):
                return await _says_ok(self._port)
        except OSError:  # TimeoutError is one of them
            return False

    async def stop(self) -> None:
        """End the model and wait for its process to be gone (under 1 s); runs that use it will fail."""
        task, self._task, self._loop = self._task, None, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        self._refuse("The built-in model is stopped.", LocalModelState.OFF)

    def _begin(self) -> None:
        if self._task is not None or self._loop is None:
            return
        self._await_readiness("Loading the model.")
        self._task = self._loop.create_task(self._supervise(), name="local-model")

    async def _supervise(self) -> None:
        """Run child after child; a child that refuses is the last."""
        failures = 0
        while True:
            began = time.monotonic()
            try:
                reason = await self._run_one_child()
            except ChildRefused as refusal:
                self._refuse(str(refusal), LocalModelState.FAILED)
                return
            failures = 1 if time.monotonic() - began > _LONG_ENOUGH_SECONDS else failures + 1
            self._announce_restart(reason, failures)
            pause = self._patience.first_pause * 2 ** min(failures - 1, 16)
            await asyncio.sleep(min(pause, self._patience.longest_pause))
            self._await_readiness(f"Starting again: {reason}.")

    async def _run_one_child(self) -> str:
        """From start to end; returns why it ended. Raises ChildRefused."""
        try:
            child = await ChildProcess.spawn(self._model or installed_model(), self.token, self._port)
        except OSError as error:
            return f"no process could be started ({error.strerror})"
        self._child = child
        try:
            url = await child.hello(self._patience.start_timeout)
            self._publish(url)
            return await self._watch(child)
        except ChildDied as death:
            return str(death)
        finally:
            self._child = None
            self._await_readiness("Ending.")
            await child.stop()
            if child.stderr_tail:
                _log.info("local_model.child_ended", pid=child.pid, stderr=child.stderr_tail)

    async def _watch(self, child: ChildProcess) -> str:
        ending = asyncio.create_task(child.ended())
        missed = 0
        try:
            while missed < self._patience.probes_to_miss:
                await asyncio.wait({ending}, timeout=self._patience.probe_interval)
                if ending.done():
                    return ending.result()
                missed = 0 if await self.healthy() else missed + 1
        finally:
            ending.cancel()
        return "it no longer answered"

    def _publish(self, url: str) -> None:
        self._port = urlsplit(url).port or 0
        self._status = LocalModelStatus(LocalModelState.READY, "Ready.")
        self._ready.set_result(Endpoint(f"{url}/v1", self.token))
        _log.info("local_model.ready", url=url)

    def _announce_restart(self, reason: str, failures: int) -> None:
        _log.warning("local_model.ended", reason=reason, failures=failures)
        if failures < self._patience.failures_to_report:
            self._await_readiness(f"Starting again: {reason}.")
        else:
            self._refuse(f"The built-in model keeps failing: {reason}.", LocalModelState.FAILED)

    def _await_readiness(self, message: str) -> None:
        self._status = LocalModelStatus(LocalModelState.STARTING, message)
        if self._ready.done():
            self._ready = _promise()

    def _refuse(self, message: str, state: LocalModelState) -> None:
        self._status = LocalModelStatus(state, message)
        if self._ready.done():
            self._ready = _promise()
        self._ready.set_exception(LocalModelUnavailable(message))
        if state is LocalModelState.FAILED:
            _log.error("local_model.failed", reason=message)


def _promise() -> "Future[Endpoint]":
    """A future that no waiter's cancellation can cancel: all waiters share it."""
    promise: Future[Endpoint] = Future()
    promise.set_running_or_notify_cancel()
    return promise


async def _says_ok(port: int) -> bool:
    # By hand: an HTTP client would load certificates, on the event loop, for one line on loopback.
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(b"GET /health HTTP/1.0\r\n\r\n")
        return b" 200 " in await reader.readline()
    finally:
        writer.close()
