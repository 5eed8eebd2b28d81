"""The environment of a run: found or built, and kept from being removed while the run uses it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path

from crewai_runner.core.project_archive import read_project_archive
from crewai_runner.executor.port import RunControl
from crewai_runner.executor.project_code import ProjectCode
from crewai_runner.executor.projects.build.environment_builder import BuildRequest, EnvironmentBuilder
from crewai_runner.executor.projects.build.environment_store import BuiltEnvironment


class StoppedBeforeStart(Exception):
    """The run was stopped while its environment was built."""


@dataclass(frozen=True, slots=True)
class RunEnvironments:
    """Finds the environments of runs. On a machine that has not built one, it is built first."""

    builder: EnvironmentBuilder
    index_url: str | None

    @contextlib.asynccontextmanager
    async def use(
        self, code: ProjectCode, source: Path, control: RunControl, on_build: Callable[[], None]
    ) -> AsyncIterator[BuiltEnvironment]:
        """Return the environment of a version, which stays until the end of the block.

        `on_build` is called before one is built. Raises AppError, StoppedBeforeStart and OSError.
        """
        with contextlib.ExitStack() as stack:
            found = await asyncio.to_thread(self._keep, code.lock_hash, stack)
            if found is None:
                on_build()
                found = await _run_stoppable(self._build(code, source), control)
                await asyncio.to_thread(stack.enter_context, self.builder.store.use(found.lock_hash))
            yield found

    def _keep(self, lock_hash: str | None, stack: contextlib.ExitStack) -> BuiltEnvironment | None:
        """Return an environment that exists, kept until the end of the stack. Blocks."""
        store = self.builder.store
        found = None if lock_hash is None else store.find(lock_hash)
        if found is not None:
            try:
                stack.enter_context(store.use(found.lock_hash))
            except OSError:  # removed meanwhile
                return None
        return found

    async def _build(self, code: ProjectCode, source: Path) -> BuiltEnvironment:
        archive = await asyncio.to_thread(read_project_archive, await code.load_archive())
        request = BuildRequest.for_project(source, code.inspection, archive.newest, self.index_url)
        return await self.builder.build(request, _discard)


async def _run_stoppable(
    work: Coroutine[None, None, BuiltEnvironment], control: RunControl
) -> BuiltEnvironment:
    """Return the result of `work`; cancel it on a stop, which raises StoppedBeforeStart."""
    loop, task = asyncio.get_running_loop(), asyncio.ensure_future(work)

    def cancel() -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(task.cancel)

    control.on_stop(cancel)
    try:
        await asyncio.wait([task])
    finally:
        task.cancel()
        await asyncio.wait([task])
    if task.cancelled():
        raise StoppedBeforeStart
    return task.result()


def _discard(_line: str) -> None:
    """The log of a build belongs to the version, not to a run."""
