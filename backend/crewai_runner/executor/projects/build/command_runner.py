"""Runs the commands of a build: uv and the compiler of Python files."""

import asyncio
import contextlib
import os
import shutil
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from crewai_runner.executor.projects.build.failures import BuildFailure, EnvironmentBuildFailed

OnLine = Callable[[str], None]
MIN_FREE_BYTES = 1024**3
_WATCH_SECONDS = 1.0
_READ_BYTES = 64 * 1024
_MAX_LINE_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True)
class BuildCommand:
    """A command, and the folder that it works in. Its environment is `environment` and nothing else."""

    arguments: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 900.0


class CommandRunner(Protocol):
    """Runs commands. A cancelled call leaves no process behind."""

    async def run(self, command: BuildCommand, on_line: OnLine) -> int:
        """Return the exit status; output and errors go to `on_line`. Raises EnvironmentBuildFailed."""


class SubprocessRunner:
    """Runs commands as processes of this machine, in a process group each, without privileges to gain."""

    async def run(self, command: BuildCommand, on_line: OnLine) -> int:
        process = await asyncio.create_subprocess_exec(
            *command.arguments,
            cwd=command.folder,
            env=dict(command.environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        assert process.stdout is not None  # noqa: S101 - it was asked for
        watch = asyncio.create_task(_wait_for_full_disk(command.folder), name="watch-build-disk")
        work = asyncio.create_task(_read_lines(process.stdout, on_line), name="read-build-output")
        try:
            async with asyncio.timeout(command.seconds):
                await asyncio.wait([watch, work], return_when=asyncio.FIRST_COMPLETED)
            if watch.done():
                raise EnvironmentBuildFailed(BuildFailure.DISK_FULL, "The disk is almost full.")
            return await process.wait()
        except TimeoutError:
            message = f"The build took longer than {command.seconds:g} s."
            raise EnvironmentBuildFailed(BuildFailure.TIMEOUT, message) from None
        finally:
            watch.cancel()
            await asyncio.shield(_end(process, work))


async def _end(process: asyncio.subprocess.Process, work: "asyncio.Task[None]") -> None:
    """Kill what is left of the process group, and wait for the end of its output."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
    work.cancel()
    await asyncio.wait([work])


async def _wait_for_full_disk(folder: Path) -> None:
    is_full = False
    while not is_full:
        is_full = (await asyncio.to_thread(shutil.disk_usage, folder)).free < MIN_FREE_BYTES
        await asyncio.sleep(0 if is_full else _WATCH_SECONDS)


async def _read_lines(reader: asyncio.StreamReader, on_line: OnLine) -> None:
    rest = b""
    while data := await reader.read(_READ_BYTES):
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            on_line(line.decode("utf-8", "replace"))
        if len(rest) > _MAX_LINE_BYTES:
            on_line(rest.decode("utf-8", "replace"))
            rest = b""
    if rest:
        on_line(rest.decode("utf-8", "replace"))
