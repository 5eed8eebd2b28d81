"""Reads the files of a zip that describe crews, and writes zips; nothing is extracted to disk."""

import zipfile
from collections.abc import Mapping

from crewai_runner.core import zip_archive
from crewai_runner.core.text import decode_text
from crewai_runner.core.zip_archive import ArchiveRefused

MAX_ENTRIES = 5_000
MAX_BYTES = 8 * 1024 * 1024

TEXT_EXTENSIONS = (".yaml", ".yml", ".py")
JSON_EXTENSIONS = (".json", ".jsonc")
_UNREAD_FOLDERS = frozenset({"__MACOSX", "node_modules", "site-packages", "venv"})


def read_archive(body: bytes) -> dict[str, str]:
    """Return the files of a zip that describe crews as path to text: YAML, crew JSON, pyproject.toml, Python.

    Python files in another encoding are left out. Raises ArchiveRefused if the archive is damaged, if an
    entry has a path outside the archive, or if a file to read is a link, encrypted, not text or too large.
    """
    with zip_archive.open_archive(body, MAX_ENTRIES) as archive:
        texts = [entry for entry in archive.infolist() if _is_text_file(entry)]
        zip_archive.check_files(texts, MAX_BYTES, "The YAML, JSON and Python files")
        zip_archive.check_ratio(texts)
        found = {entry.filename: _read_text(archive, entry) for entry in texts}
        return {path: text for path, text in found.items() if text is not None}


def write_archive(files: Mapping[str, str], folder: str) -> bytes:
    """Build a zip with these files in one folder; equal files give equal bytes."""
    return zip_archive.write_archive({f"{folder}/{path}": text.encode() for path, text in files.items()})


def _is_text_file(entry: zipfile.ZipInfo) -> bool:
    """Return whether a file can belong to a crew; data and lock files are not read."""
    *folders, name = entry.filename.split("/")
    # Hidden files include the metadata that macOS adds, with the extension of the original file.
    is_hidden = any(part.startswith(".") for part in (*folders, name))
    if is_hidden or not _UNREAD_FOLDERS.isdisjoint(folders):
        return False
    stem, dot, extension = name.lower().rpartition(".")
    is_crew_json = stem == "crew" or folders[-1:] == ["agents"]
    return (
        dot + extension in TEXT_EXTENSIONS
        or name == "pyproject.toml"
        or (dot + extension in JSON_EXTENSIONS and is_crew_json)
    )


def _read_text(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> str | None:
    """Return the text of a file; None for code in an encoding that it declares itself."""
    try:
        return decode_text(zip_archive.read_entry(archive, entry))
    except UnicodeDecodeError:
        if entry.filename.lower().endswith(".py"):
            return None
        message = f"{entry.filename[:100]!r} is neither UTF-8 nor UTF-16 text. Save it as UTF-8."
        raise ArchiveRefused(message) from None
