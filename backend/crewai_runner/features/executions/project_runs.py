"""What the execution of a project's code needs from the database, and what it stores there."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.secret_mask import TextMask
from crewai_runner.core.waiting import wait_event
from crewai_runner.db.session import read_session
from crewai_runner.db.tables.runs import RunRow
from crewai_runner.db.transaction_writer import WriteTransaction
from crewai_runner.domain.run import FINAL_STATES
from crewai_runner.executor.project_code import ProjectCode, RunFile, RunProgress
from crewai_runner.features.approvals.service import ApprovalService
from crewai_runner.features.executions.event_batch import owns_run
from crewai_runner.features.executions.execution_deps import ExecutionDeps
from crewai_runner.features.projects.service import ProjectService
from crewai_runner.features.runs.schemas import SelectedRow
from crewai_runner.features.runs.service import RunService
from crewai_runner.features.runs.writes import RunWrites

TAKE_SECONDS = 10.0
"""How long a worker that has begun the next attempt may need to continue with a waiting process."""
POLL_SECONDS = 30.0
"""How often a waiting run is read without a notification."""


@dataclass(frozen=True, slots=True)
class ProjectRuns:
    deps: ExecutionDeps

    async def load(
        self, session: AsyncSession, run: RunRow | SelectedRow, fencing_token: int
    ) -> ProjectCode | None:
        """Return the code of a project's run; None for the run of a workflow.

        Raises ProjectNotFound, ProjectVersionNotFound, ProjectInvalid, SecretUnreadable.
        """
        project_id, number = run.project_id, run.project_version
        if project_id is None or number is None:
            return None
        stored = await ProjectService(session, self.deps.projects).get_code(
            run.workspace_id, project_id, number
        )
        return ProjectCode(
            project_id=project_id,
            version=number,
            content_hash=stored.content_hash,
            lock_hash=stored.lock_hash,
            inspection=stored.inspection,
            entry_point=stored.entry_point,
            model_map=stored.model_map,
            allowed_hosts=stored.allowed_hosts,
            secrets=stored.secrets,
            load_archive=partial(self._load_archive, project_id, number),
            save_files=partial(self._save_files, run.id, run.workspace_id, fencing_token),
            progress=await self._load_progress(session, run.id, fencing_token),
        )

    async def _load_progress(self, session: AsyncSession, run_id: str, fencing_token: int) -> RunProgress:
        approvals = ApprovalService(session, self.deps.queue, self.deps.mask)
        return RunProgress(
            answers=await approvals.list_answers(run_id),
            checkpoints=await RunService(session).get_checkpoints(run_id),
            save_checkpoint=partial(self._save_checkpoint, run_id, fencing_token),
            delete_checkpoints=partial(self._delete_checkpoints, run_id, fencing_token),
            wait_until_unneeded=partial(self._wait_until_unneeded, run_id, fencing_token),
        )

    async def _save_checkpoint(
        self, run_id: str, fencing_token: int, name: str, value: Mapping[str, Any]
    ) -> None:
        def save(transaction: WriteTransaction) -> None:
            runs = RunWrites(transaction.connection)
            if owns_run(runs.lock_to_end(run_id), fencing_token):
                runs.save_checkpoint(run_id, name, value)

        await self.deps.writer.run(save)

    async def _delete_checkpoints(self, run_id: str, fencing_token: int) -> None:
        def delete(transaction: WriteTransaction) -> None:
            runs = RunWrites(transaction.connection)
            if owns_run(runs.lock_to_end(run_id), fencing_token):
                runs.delete_checkpoints(run_id)

        await self.deps.writer.run(delete)

    async def _wait_until_unneeded(self, run_id: str, fencing_token: int) -> None:
        """Wait until the run has ended, or another process has begun its next attempt."""
        with self.deps.notifier.subscribe(run_id) as subscription:
            while True:
                subscription.changed.clear()
                async with read_session(self.deps.sessions) as session:
                    attempt = await RunService(session).get_attempt(run_id)
                if attempt is None or attempt.state in FINAL_STATES:
                    return
                if attempt.fencing_token != fencing_token:
                    await asyncio.sleep(TAKE_SECONDS)
                    return
                await wait_event(subscription.changed, POLL_SECONDS)

    async def _load_archive(self, project_id: str, number: int) -> bytes:
        async with read_session(self.deps.sessions) as session:
            return await ProjectService(session, self.deps.projects).get_archive(project_id, number)

    async def _save_files(
        self, run_id: str, workspace_id: str, fencing_token: int, files: Sequence[RunFile]
    ) -> Sequence[RunFile]:
        """Store the files of a run, each in one transaction, with secrets masked in texts.

        Returns those that were stored: none if a newer attempt owns the run.
        """
        mask = self.deps.mask.scoped(workspace_id, run_id)
        masked = [_mask_file(file, mask) for file in files]

        def save(file: RunFile, transaction: WriteTransaction) -> bool:
            runs = RunWrites(transaction.connection)
            if not owns_run(runs.lock_to_end(run_id), fencing_token):
                return False
            runs.save_file(run_id, file.path, file.content)
            return True

        return [file for file in masked if await self.deps.writer.run(partial(save, file))]


def _mask_file(file: RunFile, mask: TextMask) -> RunFile:
    try:
        text = file.content.decode()
    except UnicodeDecodeError:
        return file
    masked = mask(text)
    return file if masked is text else RunFile(file.path, masked.encode())
