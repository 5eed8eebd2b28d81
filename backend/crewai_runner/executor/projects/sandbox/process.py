"""Starts a launcher as a process of this machine, and supervises it: output, control, limits, end."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from crewai_runner.core.logging import get_logger
from crewai_runner.core.waiting import wait_event
from crewai_runner.executor.projects.sandbox.port import (
    TERMINATE_SECONDS,
    EndCause,
    OnOutput,
    OutputStream,
    SandboxExit,
    SandboxFailed,
    SandboxSpec,
)
from crewai_runner.executor.projects.sandbox.work_folder import watch_work_folder

log = get_logger(__name__)
START_SECONDS = 60.0
KILL_SECONDS = 1.0
"""Time for a launcher without a sandbox to kill the processes below it."""
DRAIN_SECONDS = 2.0
READ_BYTES = 64 * 1024
MAX_MESSAGE_BYTES = 2000


def _know_nothing() -> None:
    return None


@dataclass(frozen=True, slots=True)
class LaunchPlan:
    """How to start a launcher: its command line, and the configuration that it receives from its socket.

    `dies_at_once` says that the end of the first process ends all others. `release` is called once after the
    end, in a thread; it returns the cause of the end if only the plan knows it.
    """

    command: Sequence[str]
    config: Mapping[str, object]
    descriptors: Sequence[int] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    dies_at_once: bool = True
    release: Callable[[], EndCause | None] = _know_nothing


async def launch(plan: LaunchPlan, spec: SandboxSpec, on_output: OnOutput) -> "LaunchedProcess":
    """Start a launcher and wait until it has started the command. Raises SandboxFailed."""
    ours, theirs = socket.socketpair(socket.AF_UNIX)
    with theirs:
        try:
            process = await asyncio.create_subprocess_exec(
                *plan.command,
                stdin=theirs.fileno(),
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=dict(plan.environment),
                cwd="/",
                start_new_session=True,
                pass_fds=tuple(plan.descriptors),
            )
        except OSError as error:
            ours.close()
            plan.release()
            raise SandboxFailed(f"{plan.command[0]} cannot be started: {error.strerror}") from error
        except BaseException:
            ours.close()
            plan.release()
            raise
    reader, writer = await asyncio.open_unix_connection(sock=ours)
    launched = LaunchedProcess(process, writer, plan, spec, on_output)
    try:
        await launched.begin(reader)
    except BaseException:
        await launched.kill()
        raise
    return launched


class LaunchedProcess:
    """A SandboxProcess: a launcher, which runs the command as its child and obeys its control socket."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        control: asyncio.StreamWriter,
        plan: LaunchPlan,
        spec: SandboxSpec,
        on_output: OnOutput,
    ) -> None:
        self._process, self._control, self._plan, self._spec = process, control, plan, spec
        self._on_output = on_output
        self._started_at = time.monotonic()
        self._has_started = False
        self._early: list[tuple[OutputStream, bytes]] = []
        self._delivered = self._dropped = 0
        self._cause = EndCause.EXITED
        self._ended = asyncio.Event()
        self._supervision = asyncio.create_task(self._supervise(), name="supervise-sandbox")

    async def begin(self, control: asyncio.StreamReader) -> None:
        """Send the command and wait for its start. Raises SandboxFailed."""
        self._control.write(json.dumps(self._plan.config).encode() + b"\n")
        try:
            async with asyncio.timeout(START_SECONDS):
                answer = (await control.readline()).decode("utf-8", "replace").strip()
        except TimeoutError as error:
            raise SandboxFailed(f"The sandbox did not start within {START_SECONDS:g} s.") from error
        except OSError:
            answer = ""
        if answer != "started":
            await self.kill()
            errors = b"".join(data for stream, data in self._early if stream is OutputStream.STDERR)
            reason = (
                answer.removeprefix("failed ")
                or errors[:MAX_MESSAGE_BYTES].decode("utf-8", "replace").strip()
            )
            raise SandboxFailed(f"The command could not be started: {reason or 'no reason was given'}")
        self._has_started = True
        for stream, data in self._early:
            self._deliver(stream, data)
        self._early.clear()

    async def wait(self) -> SandboxExit:
        return await asyncio.shield(self._supervision)

    async def terminate(self, grace: float = TERMINATE_SECONDS) -> SandboxExit:
        if not self._ended.is_set():
            self._note_cause(EndCause.TERMINATED)
            self._send("terminate")
            if not await wait_event(self._ended, grace):
                return await self.kill()
        return await self.wait()

    async def kill(self) -> SandboxExit:
        if not self._ended.is_set():
            self._note_cause(EndCause.KILLED)
            if not self._plan.dies_at_once:
                self._send("kill")
                await wait_event(self._ended, KILL_SECONDS)
            self._kill_group()
        return await self.wait()

    def _note_cause(self, cause: EndCause) -> None:
        if self._cause in {EndCause.EXITED, EndCause.TERMINATED}:
            self._cause = cause

    def _send(self, line: str) -> None:
        if not self._control.is_closing():
            self._control.write(line.encode() + b"\n")

    def _kill_group(self) -> None:
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    async def _supervise(self) -> SandboxExit:
        assert self._process.stdout is not None  # noqa: S101 - both were asked for
        assert self._process.stderr is not None  # noqa: S101
        pumps = [
            asyncio.create_task(self._pump(OutputStream.STDOUT, self._process.stdout)),
            asyncio.create_task(self._pump(OutputStream.STDERR, self._process.stderr)),
        ]
        watch = asyncio.create_task(self._watch_work_folder())
        try:
            status = await self._process.wait()
            self._ended.set()
            # Only a process that has left an unconfined command can hold its output open.
            await asyncio.wait(pumps, timeout=DRAIN_SECONDS)
        finally:
            self._ended.set()
            for task in (watch, *pumps):
                task.cancel()
            self._kill_group()
            self._control.close()
            seconds = time.monotonic() - self._started_at
            known_cause = await asyncio.shield(asyncio.to_thread(self._plan.release))
        if self._cause is EndCause.EXITED and known_cause is not None:
            self._cause = known_cause
        return SandboxExit(status if status >= 0 else 128 - status, self._cause, seconds, self._dropped)

    async def _watch_work_folder(self) -> None:
        await watch_work_folder(self._spec.folders.work, self._spec.limits)
        self._note_cause(EndCause.WORK_TOO_LARGE)
        await self.kill()

    async def _pump(self, stream: OutputStream, reader: asyncio.StreamReader) -> None:
        """Read until the end, also beyond the limit and after an error: the command never waits for us."""
        while data := await reader.read(READ_BYTES):
            if self._has_started:
                self._deliver(stream, data)
            else:
                self._early.append((stream, data))

    def _deliver(self, stream: OutputStream, data: bytes) -> None:
        part = data[: self._spec.limits.output - self._delivered]
        self._delivered += len(part)
        self._dropped += len(data) - len(part)
        if part:
            try:
                self._on_output(stream, part)
            except Exception:
                log.exception("sandbox.output_not_delivered", stream=stream)
