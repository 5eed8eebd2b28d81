"""Starts the built-in model, probes it, and restarts it when it exits or hangs."""

import asyncio
import secrets
import time
from concurrent.futures import Future
from contextlib import suppress
from urllib.parse import urlsplit

import structlog
from pydantic import SecretStr

from crewai_runner.core.setting_choices import LocalModelMode
from crewai_runner.localmodel.child_process import ChildCannotServe, ChildExited, ChildProcess
from crewai_runner.localmodel.installation import ModelFile, installation_problem, installed_model
from crewai_runner.localmodel.status import (
    LocalModelEndpoint,
    LocalModelState,
    LocalModelStatus,
    LocalModelUnavailable,
    RestartPolicy,
)

_log = structlog.get_logger(__name__)

_STABLE_SECONDS = 60.0


class LocalModelSupervisor:
    """Supervises the built-in model of this process.

    Call `start` and `stop` on one event loop; the other methods work on any. URL and token survive restarts
    if the port is still free, so a run in progress only needs to retry.
    """

    def __init__(
        self,
        mode: LocalModelMode = LocalModelMode.AUTO,
        *,
        model: ModelFile | None = None,
        restart_policy: RestartPolicy | None = None,
    ) -> None:
        self._mode = mode
        self._model = model
        self._policy = restart_policy or RestartPolicy()
        self.token = SecretStr(secrets.token_urlsafe(32))
        self._port = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._child: ChildProcess | None = None
        self._ready = _create_future()
        self._status = LocalModelStatus(LocalModelState.OFF, "Not started.")

    @property
    def pid(self) -> int | None:
        """The process id of the running child, if any."""
        return self._child.pid if self._child else None

    def unavailable_reason(self) -> str | None:
        """Return why the model cannot be used on this installation, for users; None when it can."""
        if self._mode is LocalModelMode.OFF:
            return "The built-in model is switched off (LOCAL_MODEL=off)."
        return installation_problem()

    def status(self) -> LocalModelStatus:
        if self._mode is LocalModelMode.OFF:
            return LocalModelStatus(LocalModelState.OFF, "Switched off (LOCAL_MODEL=off).")
        if self._task is None and (reason := installation_problem()):
            return LocalModelStatus(LocalModelState.MISSING, reason)
        return self._status

    async def start(self) -> None:
        """Start according to the mode; returns at once except in mode `eager`.

        Raises LocalModelUnavailable in mode `eager` only.
        """
        self._loop = asyncio.get_running_loop()
        if self._task is None:
            self._ready = _create_future()
        if self._mode is LocalModelMode.EAGER:
            await self.endpoint()
        elif self._mode is LocalModelMode.AUTO and self.unavailable_reason() is None:
            self._launch()
        elif self._mode is LocalModelMode.LAZY:
            self._status = LocalModelStatus(LocalModelState.OFF, "Starts on first use.")

    async def endpoint(self, timeout_seconds: float | None = None) -> LocalModelEndpoint:
        """Wait until the model is ready and return its endpoint.

        Waits at most `timeout_seconds` (None: the start timeout). Raises LocalModelUnavailable.
        """
        if reason := self.unavailable_reason():
            raise LocalModelUnavailable(reason)
        if self._loop is None:
            raise LocalModelUnavailable("The built-in model is stopped.")
        if self._task is None:
            self._loop.call_soon_threadsafe(self._launch)
        try:
            async with asyncio.timeout(timeout_seconds or self._policy.start_timeout):
                return await asyncio.wrap_future(self._ready)
        except TimeoutError as error:
            raise LocalModelUnavailable(f"The built-in model is not ready. {self._status.message}") from error

    async def is_healthy(self) -> bool:
        """Probe the model's server now."""
        if not self._ready.done() or self._ready.exception():
            return False
        try:
            async with asyncio.timeout(self._policy.probe_timeout):
                return await _probe(self._port)
        except OSError:  # includes TimeoutError
            return False

    async def stop(self) -> None:
        """Stop the model and wait until its process has exited (under 1 s); runs that use it will fail."""
        task, self._task, self._loop = self._task, None, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        self._set_unavailable("The built-in model is stopped.", LocalModelState.OFF)

    def _launch(self) -> None:
        if self._task is not None or self._loop is None:
            return
        self._set_starting("Loading the model.")
        self._task = self._loop.create_task(self._supervise(), name="local-model")

    async def _supervise(self) -> None:
        """Run children one after the other until one reports that it cannot serve."""
        failures = 0
        while True:
            started_at = time.monotonic()
            try:
                reason = await self._run_one_child()
            except ChildCannotServe as error:
                self._set_unavailable(str(error), LocalModelState.FAILED)
                return
            failures = 1 if time.monotonic() - started_at > _STABLE_SECONDS else failures + 1
            self._report_restart(reason, failures)
            delay = self._policy.initial_delay * 2 ** min(failures - 1, 16)
            await asyncio.sleep(min(delay, self._policy.max_delay))
            self._set_starting(f"Restarting: {reason}.")

    async def _run_one_child(self) -> str:
        """Run one child until it exits and return the reason. Raises ChildCannotServe."""
        try:
            child = await ChildProcess.spawn(self._model or installed_model(), self.token, self._port)
        except OSError as error:
            return f"no process could be started ({error.strerror})"
        self._child = child
        try:
            url = await child.wait_until_ready(self._policy.start_timeout)
            self._publish(url)
            return await self._watch(child)
        except ChildExited as error:
            return str(error)
        finally:
            self._child = None
            self._set_starting("Stopping.")
            await child.stop()
            if child.stderr_tail:
                _log.info("local_model.child_exited", pid=child.pid, stderr=child.stderr_tail)

    async def _watch(self, child: ChildProcess) -> str:
        exit_task = asyncio.create_task(child.wait())
        missed = 0
        try:
            while missed < self._policy.max_missed_probes:
                await asyncio.wait({exit_task}, timeout=self._policy.probe_interval)
                if exit_task.done():
                    return exit_task.result()
                missed = 0 if await self.is_healthy() else missed + 1
        finally:
            exit_task.cancel()
        return "it stopped responding"

    def _publish(self, url: str) -> None:
        self._port = urlsplit(url).port or 0
        self._status = LocalModelStatus(LocalModelState.READY, "Ready.")
        self._ready.set_result(LocalModelEndpoint(f"{url}/v1", self.token))
        _log.info("local_model.ready", url=url)

    def _report_restart(self, reason: str, failures: int) -> None:
        _log.warning("local_model.exited", reason=reason, failures=failures)
        if failures < self._policy.failures_before_report:
            self._set_starting(f"Restarting: {reason}.")
        else:
            self._set_unavailable(f"The built-in model keeps failing: {reason}.", LocalModelState.FAILED)

    def _set_starting(self, message: str) -> None:
        self._status = LocalModelStatus(LocalModelState.STARTING, message)
        if self._ready.done():
            self._ready = _create_future()

    def _set_unavailable(self, message: str, state: LocalModelState) -> None:
        self._status = LocalModelStatus(state, message)
        if self._ready.done():
            self._ready = _create_future()
        self._ready.set_exception(LocalModelUnavailable(message))
        if state is LocalModelState.FAILED:
            _log.error("local_model.failed", reason=message)


def _create_future() -> "Future[LocalModelEndpoint]":
    """Create a future for several waiters: cancelling one waiter does not cancel it."""
    future: Future[LocalModelEndpoint] = Future()
    future.set_running_or_notify_cancel()
    return future


async def _probe(port: int) -> bool:
    # Without an HTTP client: creating one would load certificates on the event loop.
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(b"GET /health HTTP/1.0\r\n\r\n")
        return b" 200 " in await reader.readline()
    finally:
        writer.close()
