"""The files of one run: those attached at its start and those that tasks write.

They are held in memory and stored by the worker, so that no path leads anywhere else and the next attempt, on
any worker, finds them.
"""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from crewai_runner.domain.output_files import find_path_problem, normalize_path

MAX_FILES = 200
MAX_FILE_BYTES = 10 * 1024 * 1024
MAX_TOTAL_BYTES = 50 * 1024 * 1024
"""Of all files of a run that tools read or write."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of a run. `task_key` is of the task that wrote it; empty for an attached one."""

    path: str
    content: bytes = field(repr=False)
    task_key: str = ""


StoreFile = Callable[[StoredFile], None]


def discard_file(_file: StoredFile) -> None:
    """Store nothing."""


class RunFiles:
    """Thread-safe. `store` receives each written file, and may be called from any thread."""

    def __init__(self, files: Iterable[StoredFile] = (), store: StoreFile = discard_file) -> None:
        self._lock = threading.Lock()
        self._files = {file.path: file.content for file in files}
        self._store = store

    def list_paths(self) -> list[tuple[str, int]]:
        """Return (path, bytes) of every file, by path."""
        with self._lock:
            return sorted((path, len(content)) for path, content in self._files.items())

    def read(self, path: str) -> bytes:
        """Return a file. Raises ValueError that names the files which exist."""
        with self._lock:
            content = self._files.get(normalize_path(path))
            known = sorted(self._files)
        if content is None:
            exist = f"These exist: {', '.join(known[:30])}." if known else "The run has no files."
            raise ValueError(f"The run has no file {path[:200]!r}. {exist}")
        return content

    def write(self, path: str, content: bytes, task_key: str = "") -> str:
        """Add or replace a file; return its path. Raises ValueError for a bad path or too much."""
        if (problem := find_path_problem(path)) is not None:
            raise ValueError(f"{path[:200]!r} {problem}.")
        path = normalize_path(path)
        with self._lock:
            others = {name: one for name, one in self._files.items() if name != path}
            if len(content) > MAX_FILE_BYTES:
                raise ValueError(f"A file can have {MAX_FILE_BYTES:,} bytes; this one has {len(content):,}.")
            if len(others) >= MAX_FILES:
                raise ValueError(f"A run can have {MAX_FILES} files.")
            if sum(map(len, others.values())) + len(content) > MAX_TOTAL_BYTES:
                raise ValueError(f"The files of a run can have {MAX_TOTAL_BYTES:,} bytes together.")
            self._files[path] = content
        self._store(StoredFile(path, content, task_key))
        return path
