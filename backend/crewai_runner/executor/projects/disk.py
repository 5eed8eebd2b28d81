"""What projects keep on the disk of this machine, and the removal of what is not used any more."""

from dataclasses import dataclass
from pathlib import Path

from crewai_runner.executor.projects.build.environment_store import EnvironmentStore
from crewai_runner.executor.projects.run_folders import remove_leftover_folders
from crewai_runner.executor.projects.source_cache import SourceCache, remove_old_folders

SOURCES, RUNS, BUILDING_SOURCES = "sources", "runs", "building-sources"
"""Folders in the folder of projects."""
_SOURCES_SHARE = 0.25
"""The part of the disk that sources may have."""
_BUILD_SECONDS = 24 * 3600.0
"""No build takes longer: the sources of older ones are left over from killed processes."""


@dataclass(frozen=True, slots=True)
class DiskLimits:
    """`bytes` bounds sources, environments and uv's cache. They are removed after `unused_seconds`."""

    bytes: int
    unused_seconds: float


@dataclass(frozen=True, slots=True)
class ProjectDisk:
    """The folder of projects. All of it can be made again from the database. Its methods block."""

    folder: Path
    store: EnvironmentStore
    limits: DiskLimits
    sockets: Path | None = None
    """The folder of the folders of sockets; None: that of temporary files."""

    def remove_unused(self) -> list[str]:
        """Remove caches that nothing uses and leftovers of killed processes; return removed environments."""
        if not self.folder.is_dir():
            return []
        seconds = self.limits.unused_seconds
        sources = SourceCache(self.folder / SOURCES)
        sources.remove_unused(seconds, int(self.limits.bytes * _SOURCES_SHARE))
        remove_old_folders(self.folder / BUILDING_SOURCES, _BUILD_SECONDS)
        remove_leftover_folders(self.folder / RUNS, self.sockets)
        return self.store.remove_unused(seconds, self.limits.bytes - sources.measure())
