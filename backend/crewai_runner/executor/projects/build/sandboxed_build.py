"""One build of a wheel: the steps that execute foreign code, each in the sandbox."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crewai_runner.executor.projects.build.build_log import BuildLog
from crewai_runner.executor.projects.build.failures import BuildFailure, EnvironmentBuildFailed
from crewai_runner.executor.projects.sandbox.port import (
    EndCause,
    Folders,
    OutputStream,
    Sandbox,
    SandboxExit,
    SandboxFailed,
    SandboxLimits,
    SandboxSpec,
)
from crewai_runner.executor.projects.sandbox.work_folder import WrittenFile, open_written

BUILD_SECONDS = 600.0
MAX_RESULT_BYTES = 64 * 1024
MAX_PYPROJECT_BYTES = 1024**2
MAX_WHEEL_BYTES = 512 * 1024**2
LIMITS = SandboxLimits(
    memory=3 * 1024**3,
    processes=256,
    cpu_seconds=1200,
    work_size=2 * 1024**3,
    temporary_size=512 * 1024**2,
    output=4 * 1024**2,
)
_CAUSES = {
    EndCause.WORK_TOO_LARGE: (BuildFailure.TOO_LARGE, "wrote more than the disk limit allows"),
    EndCause.OUT_OF_MEMORY: (BuildFailure.SOURCE_BUILD, "needed more memory than the limit allows"),
    EndCause.KILLED: (BuildFailure.SOURCE_BUILD, "was stopped"),
    EndCause.SERVICE_LOST: (BuildFailure.SOURCE_BUILD, "ended because the sandbox service did: build again"),
}


@dataclass(frozen=True, slots=True)
class SandboxedBuild:
    """Runs the steps of `guest/build_wheel.py` in the folder `work`, the only one that they can write.

    They see no network and no file of the server. What they have written is read without following links.
    """

    sandbox: Sandbox
    work: Path
    interpreter: Path
    title: str
    log: BuildLog
    limits: SandboxLimits = field(default=LIMITS)
    seconds: float = BUILD_SECONDS

    async def run(
        self, step: str, environment: Path | None = None, variables: Mapping[str, str] | None = None
    ) -> None:
        """Run a step to its end, with the Python of an environment. Raises EnvironmentBuildFailed."""
        folders = Folders(work=self.work, environment=environment)
        layout = self.sandbox.lay_out(folders, self.interpreter)
        python = layout.python if environment is None else f"{layout.environment}/bin/python"
        spec = SandboxSpec(
            (python, "-I", "-B", f"{layout.guest}/build_wheel.py", step),
            folders,
            layout,
            environment={"SOURCE_DATE_EPOCH": "1577836800", "PYTHONUNBUFFERED": "1", **(variables or {})},
            interpreter=self.interpreter,
            limits=self.limits,
        )
        lines = _Lines(self.log)
        try:
            ended = await self._run(spec, lines)
        except SandboxFailed as error:
            raise EnvironmentBuildFailed(BuildFailure.SOURCE_BUILD, str(error)) from error
        lines.close()
        if ended.status != 0 or ended.cause is not EndCause.EXITED:
            raise self._explain(ended)

    async def _run(self, spec: SandboxSpec, lines: "_Lines") -> SandboxExit:
        process = await self.sandbox.start(spec, lines.add)
        try:
            async with asyncio.timeout(self.seconds):
                return await process.wait()
        except TimeoutError:
            message = f"The build of {self.title} took longer than {self.seconds:g} s."
            raise EnvironmentBuildFailed(BuildFailure.TIMEOUT, message) from None
        finally:
            await asyncio.shield(process.kill())

    def _explain(self, ended: SandboxExit) -> EnvironmentBuildFailed:
        if ended.cause in _CAUSES:
            cause, what = _CAUSES[ended.cause]
            return EnvironmentBuildFailed(cause, f"The build of {self.title} {what}.")
        message = (
            f"{self.title} could not be built from its source: the log has the error. Builds have no network "
            "and only the compilers of this machine. Choose a version with a wheel."
        )
        return EnvironmentBuildFailed(BuildFailure.SOURCE_BUILD, message)

    async def read(self, path: str, limit: int = MAX_PYPROJECT_BYTES) -> str | None:
        """Return a text that a step has written; None if there is none of at most `limit` bytes."""
        return await asyncio.to_thread(self._read, path, limit)

    def _read(self, path: str, limit: int) -> str | None:
        try:
            with open_written(self.work, WrittenFile(path, limit)) as file:
                content = file.read(limit + 1)
        except OSError:
            return None
        return content.decode("utf-8", "replace") if len(content) <= limit else None

    async def read_result(self) -> dict[str, Any]:
        """Return what the backend has answered, which may be anything."""
        try:
            result = json.loads(await self.read("result.json", MAX_RESULT_BYTES) or "")
        except (ValueError, RecursionError):
            result = None
        return result if isinstance(result, dict) else {}

    async def collect_wheel(self, name: str, folder: Path) -> Path:
        """Copy the wheel of this name out of the work folder, into a file of this process."""
        try:
            return await asyncio.to_thread(self._collect, name, folder)
        except OSError as error:
            message = f"The build of {self.title} made no wheel that can be read: {error}"
            raise EnvironmentBuildFailed(BuildFailure.SOURCE_BUILD, message) from error

    def _collect(self, name: str, folder: Path) -> Path:
        target, left = folder / name, MAX_WHEEL_BYTES
        with (
            open_written(self.work, WrittenFile(f"wheels/{name}", left)) as source,
            target.open("xb") as file,
        ):
            while data := source.read(1024**2):
                left -= len(data)
                if left < 0:
                    raise OSError(f"it has more than {MAX_WHEEL_BYTES // 1024**2} MiB")
                file.write(data)
        return target


class _Lines:
    """Writes output to a log, line by line."""

    def __init__(self, log: BuildLog) -> None:
        self._log = log
        self._rest = b""

    def add(self, _stream: OutputStream, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._log.write(line.decode("utf-8", "replace"))
        if len(self._rest) > 16 * 1024:
            self.close()

    def close(self) -> None:
        if self._rest:
            self._log.write(self._rest.decode("utf-8", "replace"))
        self._rest = b""
