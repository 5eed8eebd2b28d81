"""Starts runs with files, which their tools read and write."""

import hashlib
from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.api_model import ApiModel
from crewai_runner.core.principal import Principal
from crewai_runner.domain.artifact_events import make_file_event
from crewai_runner.features.executions.errors import RunFilesRefused
from crewai_runner.features.executions.execution_deps import ExecutionDeps
from crewai_runner.features.executions.schemas import RunStart, RunStartAnswer
from crewai_runner.features.executions.service import ExecutionService, StartExtension
from crewai_runner.features.lifecycle.service import LifecycleService
from crewai_runner.features.runs.service import RunService

ROUTE = "runs/with-files"


class StartWithFiles(ApiModel):
    """Identifies the request for idempotency: the start, and the hash of each file by path."""

    run: RunStart
    files: dict[str, str]


class FileStarts:
    """The files are stored in the transaction that creates the run."""

    def __init__(self, session: AsyncSession, deps: ExecutionDeps) -> None:
        self._session, self._deps = session, deps

    async def start(
        self, principal: Principal, request: RunStart, files: Mapping[str, bytes], key: str | None
    ) -> RunStartAnswer:
        """Queue a run with files by path. Raises RunFilesRefused and what `ExecutionService.start` raises."""
        if request.project_id is not None:
            raise RunFilesRefused("Files can be attached to runs of workflows, not of projects.")
        hashes = {path: hashlib.sha256(content).hexdigest() for path, content in files.items()}

        async def store(run_id: str) -> None:
            await self._attach(run_id, files)

        extension = StartExtension(ROUTE, StartWithFiles(run=request, files=hashes), store)
        return await ExecutionService(self._session, self._deps).start(principal, request, key, extension)

    async def _attach(self, run_id: str, files: Mapping[str, bytes]) -> None:
        runs = RunService(self._session)
        lifecycle = LifecycleService(self._session, self._deps.queue, self._deps.mask)
        run = await runs.lock_for_worker(run_id)
        if run is None:
            return
        await runs.attach_files(run_id, files)
        for path, content in files.items():
            await lifecycle.emit(run, make_file_event("", path, len(content)))
