"""What a command uses: memory of all its processes, files in memory, and its folders. Blocks."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from crewai_runner.executor.projects.sandbox.agent.users import acting_as, list_processes
from crewai_runner.executor.projects.sandbox.port import EndCause, SandboxLimits
from crewai_runner.executor.projects.sandbox.work_folder import WorkFolderTooLarge, measure

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - the only one that programs use
MIN_FREE_SHARE = 0.02


def find_excess(user: int, work: Path, temporary: Path, limits: SandboxLimits) -> EndCause | None:
    """Return the limit that the command exceeds. Pages that its processes share count for each of them."""
    if measure_memory(user) > limits.memory:
        return EndCause.OUT_OF_MEMORY
    with acting_as(user):
        try:
            size = measure(temporary, limits)
            measure(work, limits)
        except (WorkFolderTooLarge, OSError):  # locked by its owner, so that it cannot be measured
            return EndCause.WORK_TOO_LARGE
    in_memory = sum(status.st_blocks * 512 for _, status in list_shared_files(user))
    is_over = max(size, in_memory) > limits.temporary_size
    return EndCause.WORK_TOO_LARGE if is_over else None


def measure_memory(user: int) -> int:
    """Return the bytes of memory that the processes of a user occupy."""
    # Processes that are about to end have no figure any more.
    return sum(int(status.get("VmRSS", "0").split()[0]) * 1024 for status in list_processes(user))


def list_shared_files(user: int) -> Iterator[tuple[Path, os.stat_result]]:
    """Yield the files of a user in /dev/shm."""
    with os.scandir(SHARED_MEMORY) as entries:
        for entry in entries:
            with contextlib.suppress(FileNotFoundError):
                status = entry.stat(follow_symlinks=False)
                if status.st_uid == user:
                    yield Path(entry.path), status


def remove_shared_files(user: int) -> None:
    with acting_as(user):
        for path, _ in list(list_shared_files(user)):
            with contextlib.suppress(OSError):
                path.unlink()


def is_disk_full(folder: Path) -> bool:
    usage = shutil.disk_usage(folder)
    return usage.free < MIN_FREE_SHARE * usage.total
