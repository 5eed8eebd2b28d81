"""Saves the files that a project has written, as files of its run."""

import asyncio
import hashlib

from crewai_runner.domain.output_files import find_media_type
from crewai_runner.domain.run_event_payloads import ArtifactSavedData, WarningRaisedData
from crewai_runner.domain.run_events import ArtifactSaved, WarningRaised
from crewai_runner.executor.projects.run_folders import RunFolders
from crewai_runner.executor.projects.run_link import RunLink


class WrittenFiles:
    """The files in the folders of a project's process, which may be saved several times."""

    def __init__(self, folders: RunFolders, link: RunLink) -> None:
        self._folders, self._link = folders, link
        self._saved: dict[str, str] = {}
        """The hash of each saved file's content, by path."""

    async def save(self) -> None:
        """Save the files that are new or have changed, also those of a run that failed."""
        link = self._link
        collected, left_out = await asyncio.to_thread(self._folders.collect)
        hashes = {file.path: hashlib.sha256(file.content).hexdigest() for file in collected}
        changed = [file for file in collected if self._saved.get(file.path) != hashes[file.path]]
        for file in await link.code.save_files(changed):
            self._saved[file.path] = hashes[file.path]
            data = ArtifactSavedData(
                name=file.path, media_type=find_media_type(file.path), size=len(file.content)
            )
            link.sink(ArtifactSaved(run_id=link.run_id, data=data))
        if left_out:
            message = f"{left_out} files of the run were not saved: they are too large or too many."
            warning = WarningRaisedData(code="files-left-out", message=message)
            link.sink(WarningRaised(run_id=link.run_id, data=warning))
