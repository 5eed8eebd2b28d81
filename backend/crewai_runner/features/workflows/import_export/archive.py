"""Reads and writes zip archives in memory; nothing is extracted to disk."""

import io
import re
import stat
import zipfile
import zlib
from collections.abc import Mapping

from crewai_runner.core.text import decode_text
from crewai_runner.features.workflows.errors import ArchiveRefused

MAX_ENTRIES = 5_000
MAX_BYTES = 8 * 1024 * 1024
MAX_RATIO = 100
MIN_CHECKED_BYTES = 64 * 1024
"""The compression ratio of smaller files is not checked."""

TEXT_EXTENSIONS = (".yaml", ".yml", ".py")
JSON_EXTENSIONS = (".json", ".jsonc")
_UNREAD_FOLDERS = frozenset({"__MACOSX", "node_modules", "site-packages", "venv"})
_ENCRYPTED = 0x1 | 0x40 | 0x2000
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_DRIVE = re.compile(r"^[A-Za-z]:")
# Errors that zipfile raises for damaged or forged archives.
_READ_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    ValueError,
    NotImplementedError,
    RuntimeError,
)


def read_archive(body: bytes) -> dict[str, str]:
    """Return the files of a zip that describe crews as path to text: YAML, crew JSON, pyproject.toml, Python.

    Python files in another encoding are left out. Raises ArchiveRefused if the archive is damaged, if an
    entry has a path outside the archive, or if a file to read is a link, encrypted, not text or too large.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            entries = archive.infolist()
            if len(entries) > MAX_ENTRIES:
                message = f"The archive has more than {MAX_ENTRIES:,} entries."
                raise ArchiveRefused(f"{message} Leave out installed packages and data.")
            for entry in entries:
                _check_path(entry.orig_filename)
            texts = [entry for entry in entries if _is_text_file(entry)]
            _check_files(texts)
            found = {entry.filename: _read_text(archive, entry) for entry in texts}
            return {path: text for path, text in found.items() if text is not None}
    except _READ_ERRORS as error:
        raise ArchiveRefused("This is not a readable zip archive.") from error


def write_archive(files: Mapping[str, str], folder: str) -> bytes:
    """Build a zip with these files in one folder; equal files give equal bytes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(files):
            entry = zipfile.ZipInfo(f"{folder}/{path}", date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (stat.S_IFREG | 0o644) << 16
            archive.writestr(entry, files[path].encode())
    return packed.getvalue()


def _check_files(entries: list[zipfile.ZipInfo]) -> None:
    if sum(entry.file_size for entry in entries) > MAX_BYTES:
        raise ArchiveRefused(
            f"The YAML, JSON and Python files unpack to more than {MAX_BYTES // 1024**2} MiB. Leave out data."
        )
    for entry in entries:
        _check_type(entry)
    paths = [entry.filename.casefold() for entry in entries]
    if len(set(paths)) != len(paths):
        raise ArchiveRefused("The archive has two entries with the same path.")


def _check_path(path: str) -> None:
    parts = path.rstrip("/").split("/")
    is_outside = ".." in parts or path.startswith("/") or _DRIVE.match(path) is not None
    if is_outside or "\\" in path or not path.isprintable() or not all(parts) or "." in parts:
        raise ArchiveRefused(f"The path of an entry is outside the archive or malformed: {path[:100]!r}.")


def _check_type(entry: zipfile.ZipInfo) -> None:
    name = repr(entry.filename[:100])
    if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise ArchiveRefused(f"{name} is a link or a device, not a file.")
    if entry.flag_bits & _ENCRYPTED:
        raise ArchiveRefused(f"{name} is encrypted; create the archive without a password.")
    if entry.compress_type not in _METHODS:
        raise ArchiveRefused(f"{name} has an unsupported compression method; use an ordinary zip.")
    if entry.file_size > MIN_CHECKED_BYTES and entry.file_size > MAX_RATIO * entry.compress_size:
        raise ArchiveRefused(f"{name} unpacks to more than {MAX_RATIO} times its size.")


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
    with archive.open(entry) as packed:
        content = packed.read(entry.file_size + 1)
    if len(content) != entry.file_size:
        raise ArchiveRefused(f"{entry.filename[:100]!r} does not have the size recorded in the archive.")
    try:
        return decode_text(content)
    except UnicodeDecodeError:
        if entry.filename.lower().endswith(".py"):
            return None
        message = f"{entry.filename[:100]!r} is neither UTF-8 nor UTF-16 text. Save it as UTF-8."
        raise ArchiveRefused(message) from None
