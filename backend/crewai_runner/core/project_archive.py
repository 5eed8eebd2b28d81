"""The zip of a project: its files, without secrets, installed packages and links."""

import hashlib
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import PurePosixPath

from pydantic import SecretStr

from crewai_runner.core.environment_file import is_environment_file, parse_environment_file
from crewai_runner.core.generated_folders import GENERATED_FOLDERS
from crewai_runner.core.zip_archive import (
    ArchiveRefused,
    check_files,
    check_size,
    is_link,
    open_archive,
    read_entry,
    write_archive,
)

MAX_ARCHIVE_BYTES = 64 * 1024**2
MAX_UNPACKED_BYTES = 256 * 1024**2
MAX_FILES = 5_000
_MAX_ENTRIES = 20_000
"""Entries of any kind: folders and installed packages are not files of the project."""
_INSTALLED_FOLDERS = frozenset({"lib", "lib64", "bin", "include", "share", "scripts", "etc"})
"""Folders of a virtual environment, whatever its own name is."""
_LEFT_OUT_FILES = frozenset({".DS_Store"})
_SOURCE_FOLDERS = frozenset({"src", "config", "knowledge", "tools", "agents", "tasks"})
"""Top folders that belong to a project, also where it has nothing beside them."""


@dataclass(frozen=True, slots=True)
class ProjectArchive:
    """What an uploaded project consists of."""

    files: Mapping[str, bytes]
    """By path, relative to the project's root."""
    secrets: Mapping[str, SecretStr]
    """The variables of its `.env` files, which are not among `files`."""
    environment_files: tuple[str, ...] = ()
    """The paths of these files."""
    left_out: tuple[str, ...] = ()
    """Paths of symbolic links, and of files whose path differs from that of another one by case only."""
    newest: date | None = None
    """The day of the last change to a file."""

    @property
    def content_hash(self) -> str:
        """The SHA-256 of paths and contents, in hexadecimal digits; dates do not matter."""
        return hash_files(self.files)

    def pack(self) -> bytes:
        """Return the files as a zip; equal files and an equal `newest` give equal bytes."""
        return write_archive(self.files, self.newest)


def read_project_archive(body: bytes) -> ProjectArchive:
    """Read the zip of a project, as GitHub makes it: a single top folder is not part of the paths.

    Raises ArchiveRefused if it is damaged or too large, or if an entry has a path outside it, is a device,
    encrypted, or the second one with its path.
    """
    if len(body) > MAX_ARCHIVE_BYTES:
        raise ArchiveRefused(f"The archive is larger than {MAX_ARCHIVE_BYTES // 1024**2} MiB.")
    with open_archive(body, _MAX_ENTRIES) as archive:
        entries = _list_files(archive)
        kept, left_out = _divide(entries)
        if len(kept) > MAX_FILES:
            message = f"The archive has more than {MAX_FILES:,} files."
            raise ArchiveRefused(f"{message} Leave out installed packages and data.")
        check_size(kept, MAX_UNPACKED_BYTES)
        check_files(kept)
        top = _find_top_folder(entry.filename for entry in entries)
        contents = {entry.filename.removeprefix(top): read_entry(archive, entry) for entry in kept}
    if not contents:
        raise ArchiveRefused("The archive has no files.")
    paths = sorted((path for path in contents if is_environment_file(PurePosixPath(path).name)), key=_order)
    return ProjectArchive(
        files={path: content for path, content in contents.items() if path not in paths},
        secrets=_read_secrets([contents[path] for path in paths]),
        environment_files=tuple(paths),
        left_out=tuple(entry.filename.removeprefix(top) for entry in left_out),
        newest=max(filter(None, map(_read_date, kept)), default=None),
    )


def hash_files(files: Mapping[str, bytes]) -> str:
    """Return the SHA-256 of paths and contents in hexadecimal digits."""
    digest = hashlib.sha256()
    for path in sorted(files):
        name, content = path.encode(), files[path]
        digest.update(len(name).to_bytes(8) + name + len(content).to_bytes(8) + content)
    return digest.hexdigest()


def _list_files(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Return the entries of files, without those in folders of installed packages and caches."""
    files = [entry for entry in archive.infolist() if not entry.is_dir()]
    environments = {
        PurePosixPath(entry.filename).parent
        for entry in files
        if PurePosixPath(entry.filename).name == "pyvenv.cfg"
    }
    return [entry for entry in files if not _is_left_out(PurePosixPath(entry.filename), environments)]


def _divide(entries: list[zipfile.ZipInfo]) -> tuple[list[zipfile.ZipInfo], list[zipfile.ZipInfo]]:
    """Return the entries to keep, and those that not every file system can represent.

    Two entries with the same path are both kept: `check_files` refuses them.
    """
    kept: list[zipfile.ZipInfo] = []
    left_out: list[zipfile.ZipInfo] = []
    names: dict[str, str] = {}
    for entry in entries:
        first = names.setdefault(entry.filename.casefold(), entry.filename)
        is_kept = not is_link(entry) and first == entry.filename
        (kept if is_kept else left_out).append(entry)
    return kept, left_out


def _is_left_out(path: PurePosixPath, environments: set[PurePosixPath]) -> bool:
    return (
        path.name in _LEFT_OUT_FILES
        or not GENERATED_FOLDERS.isdisjoint(path.parts[:-1])
        or any(
            parent.parent in environments and parent.name.lower() in _INSTALLED_FOLDERS
            for parent in path.parents
        )
    )


def _find_top_folder(paths: Iterable[str]) -> str:
    """Return the folder that all files are in, with a slash; empty if there is none."""
    tops = {path.partition("/")[:2] for path in paths}
    if len(tops) != 1:
        return ""
    [(name, slash)] = tops
    return name + slash if slash and name not in _SOURCE_FOLDERS else ""


def _order(path: str) -> tuple[int, str]:
    return path.count("/"), path


def _read_secrets(contents: list[bytes]) -> dict[str, SecretStr]:
    """Return the variables of `.env` files; the first file that has a variable counts."""
    secrets: dict[str, SecretStr] = {}
    for content in contents:
        try:
            values = parse_environment_file(content)
        except ValueError:
            continue
        for name, value in values.items():
            secrets.setdefault(name, SecretStr(value))
    return secrets


def _read_date(entry: zipfile.ZipInfo) -> date | None:
    try:
        day = date(*entry.date_time[:3])
    except ValueError:
        return None
    return day if day.year > 1980 else None
