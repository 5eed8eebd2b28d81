"""Reads the files of a zip that describe crews, and writes zips; nothing is extracted to disk."""

import io
import stat
import tokenize
import zipfile
from collections.abc import Collection, Mapping
from typing import IO

from crewai_runner.core import zip_archive
from crewai_runner.core.generated_folders import GENERATED_FOLDERS
from crewai_runner.core.text import decode_text
from crewai_runner.domain.workflow_yaml.crewai_import import ProjectFiles
from crewai_runner.domain.workflow_yaml.project_files import find_package_folders

MAX_ENTRIES = 5_000
MAX_BYTES = 8 * 1024 * 1024

TEXT_EXTENSIONS = (".yaml", ".yml", ".py")
JSON_EXTENSIONS = (".json", ".jsonc")
KNOWLEDGE_EXTENSIONS = (".txt", ".md", ".csv", ".json")
MAX_KNOWLEDGE_BYTES = 200_000
"""The size of a knowledge file that is read; a text of a workflow is not longer."""


class _NotRead(Exception):
    """A file that is not read; the message says why."""


def read_archive(body: bytes | IO[bytes]) -> ProjectFiles:
    """Return the files of a zip: the texts of those that describe crews, and the paths of all others.

    Texts are YAML, crew JSON, pyproject.toml, Python and the text files in `knowledge` folders. One that is
    a link, in another encoding or beyond the size limit is not read; the reason is returned. Raises
    ArchiveRefused if the archive is damaged, an entry has a path outside the archive, or a file to read is
    encrypted or a compression bomb.
    """
    with zip_archive.open_archive(body, MAX_ENTRIES) as archive:
        return _read_entries(archive, [entry for entry in archive.infolist() if not entry.is_dir()])


def _read_entries(archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo]) -> ProjectFiles:
    packages = find_package_folders(entry.filename for entry in entries)
    own = [entry for entry in entries if _is_visible(entry) and not _is_below(entry.filename, packages)]
    wanted = sorted(filter(_is_text_file, own), key=_rank)
    files = [entry for entry in wanted if _is_file(entry)]
    zip_archive.check_files(files)
    zip_archive.check_ratio(files)
    texts: dict[str, str] = {}
    unread: dict[str, str] = {}
    size = 0
    for entry in wanted:
        size += entry.file_size
        try:
            if size > MAX_BYTES:
                raise _NotRead(f"Only the first {MAX_BYTES // 1024**2} MiB of crew files are read.")
            texts[entry.filename] = _read_text(archive, entry)
        except _NotRead as error:
            unread[entry.filename] = str(error)
    return ProjectFiles(texts, [entry.filename for entry in own], unread)


def write_archive(files: Mapping[str, str], folder: str) -> bytes:
    """Build a zip with these files in one folder; equal files give equal bytes."""
    return zip_archive.write_archive({f"{folder}/{path}": text.encode() for path, text in files.items()})


def _is_file(entry: zipfile.ZipInfo) -> bool:
    return stat.S_IFMT(entry.external_attr >> 16) in (0, stat.S_IFREG, stat.S_IFDIR)


def _is_visible(entry: zipfile.ZipInfo) -> bool:
    """Return whether a file is part of the project; hidden files include the metadata that macOS adds."""
    parts = entry.filename.split("/")
    return not any(part.startswith(".") for part in parts) and GENERATED_FOLDERS.isdisjoint(parts[:-1])


def _is_below(path: str, folders: Collection[str]) -> bool:
    return any(path.startswith(folder) for folder in folders)


def _is_text_file(entry: zipfile.ZipInfo) -> bool:
    """Return whether a file can belong to a crew; data and lock files are not read."""
    *folders, name = entry.filename.split("/")
    stem, dot, extension = name.lower().rpartition(".")
    is_crew_json = stem == "crew" or folders[-1:] == ["agents"]
    is_knowledge = "knowledge" in folders and entry.file_size <= MAX_KNOWLEDGE_BYTES
    return (
        dot + extension in TEXT_EXTENSIONS
        or name == "pyproject.toml"
        or (dot + extension in JSON_EXTENSIONS and is_crew_json)
        or (dot + extension in KNOWLEDGE_EXTENSIONS and is_knowledge)
    )


def _rank(entry: zipfile.ZipInfo) -> tuple[bool, int, str]:
    """Order files by how likely they belong to a crew: what is beyond the size limit is not read."""
    path = entry.filename
    return path.endswith(".py"), path.count("/"), path


def _read_text(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> str:
    if not _is_file(entry):
        raise _NotRead("It is a link or a device, not a file.")
    content = zip_archive.read_entry(archive, entry)
    try:
        return decode_text(content)
    except UnicodeDecodeError:
        pass
    try:
        return content.decode(tokenize.detect_encoding(io.BytesIO(content).readline)[0])
    except (SyntaxError, LookupError, UnicodeDecodeError):
        raise _NotRead("It is neither UTF-8 nor UTF-16 text. Save it as UTF-8.") from None
