"""Collects the files of a project folder for an upload."""

import io
import os
import subprocess
import tomllib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from crewai_runner.core.environment_file import is_environment_file
from crewai_runner.core.generated_folders import GENERATED_FOLDERS
from crewai_runner.core.project_archive import MAX_ARCHIVE_BYTES, MAX_FILES
from crewai_runner.operations.errors import OperationError

GIT_SECONDS = 30


@dataclass(frozen=True, slots=True)
class PackedFolder:
    """The zip of a project folder. `left_out` are the `.env` files that are not in it."""

    archive: bytes
    file_count: int
    left_out: list[str]


def pack_folder(folder: Path, *, with_environment: bool = False) -> PackedFolder:
    """Pack a project folder. Raises OperationError, and OSError if a file cannot be read.

    Files that git ignores are left out, caches and installed packages too, symbolic links, and `.env` files
    unless `with_environment`.
    """
    found = sorted(_list_files(folder))
    left_out = [] if with_environment else [path for path in found if is_environment_file(path.name)]
    packed, count = io.BytesIO(), 0
    # Files from before 1980, which some tools write, get the first date that a zip can hold.
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as archive:
        for path in found:
            if path in left_out:
                continue
            count += 1
            archive.write(folder / path, path.as_posix())
            if count > MAX_FILES or packed.tell() > MAX_ARCHIVE_BYTES:
                raise OperationError(
                    f"{folder} has more than {MAX_FILES:,} files or {MAX_ARCHIVE_BYTES // 1024**2} MiB. "
                    "Exclude data in .gitignore."
                )
    if not count:
        raise OperationError(f"{folder} has no files to upload.")
    return PackedFolder(packed.getvalue(), count, [path.as_posix() for path in left_out])


def find_project_name(folder: Path) -> str:
    """Return the name in pyproject.toml, or that of the folder."""
    try:
        name = tomllib.loads((folder / "pyproject.toml").read_text())["project"]["name"]
    except (OSError, ValueError, LookupError, TypeError):
        name = None
    return name if isinstance(name, str) and name else folder.resolve().name


def _list_files(folder: Path) -> Iterator[Path]:
    """Yield the paths of the files to upload and of the `.env` files, relative to the folder."""
    kept = _list_kept_by_git(folder)
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in GENERATED_FOLDERS]
        for name in names:
            path = Path(parent, name)
            relative = path.relative_to(folder)
            if path.is_symlink() or not path.is_file():
                continue
            if kept is None or is_environment_file(name) or relative.as_posix() in kept:
                yield relative


def _list_kept_by_git(folder: Path) -> set[str] | None:
    """Return the paths that git does not ignore; None if the folder belongs to no git repository."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    try:
        result = subprocess.run(  # noqa: S603  # a constant command
            command, cwd=folder, capture_output=True, timeout=GIT_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return set(filter(None, os.fsdecode(result.stdout).split("\0")))
