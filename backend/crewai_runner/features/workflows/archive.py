"""Reads the text files of an uploaded zip, in memory: no path of the archive touches a disk."""

import io
import re
import stat
import zipfile
import zlib
from collections.abc import Mapping

from crewai_runner.features.workflows.errors import ArchiveRefused

MAX_ENTRIES = 200
MAX_BYTES = 8 * 1024 * 1024
MAX_RATIO = 100
SMALL = 64 * 1024
"""Bytes below which a file may be compressed as well as it likes."""

TEXTS = (".yaml", ".yml", ".json", ".jsonc", ".md", ".toml")
_ENCRYPTED = 0x1 | 0x40 | 0x2000
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_DRIVE = re.compile(r"^[A-Za-z]:")
# How the damage of a broken or forged archive shows itself while it is read.
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError)


def read_archive(body: bytes) -> dict[str, str]:
    """Path → text of every YAML, JSON, Markdown and TOML file of a zip; everything else stays unread.

    Raises ArchiveRefused when the archive is broken, or when any entry, read or not, leaves the
    archive's folder, is a link, is encrypted, or unpacks to more than is sane.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            entries = archive.infolist()
            _check_all(entries)
            return {entry.filename: _text(archive, entry) for entry in entries if _wanted(entry)}
    except _BROKEN as error:
        raise ArchiveRefused("This is no readable zip archive.") from error


def write_archive(files: Mapping[str, str], folder: str) -> bytes:
    """A zip with these texts below one folder; the same texts give the same bytes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(files):
            entry = zipfile.ZipInfo(f"{folder}/{path}", date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (stat.S_IFREG | 0o644) << 16
            archive.writestr(entry, files[path].encode())
    return packed.getvalue()


def _check_all(entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > MAX_ENTRIES:
        raise ArchiveRefused(f"The archive has more than {MAX_ENTRIES} entries.")
    if sum(entry.file_size for entry in entries) > MAX_BYTES:
        raise ArchiveRefused(f"The archive unpacks to more than {MAX_BYTES // 1024**2} MiB.")
    for entry in entries:
        _check_path(entry.orig_filename)
        _check_kind(entry)
    paths = [entry.filename.rstrip("/").casefold() for entry in entries]
    if len(set(paths)) != len(paths):
        raise ArchiveRefused("The archive has two entries of one name.")


def _check_path(path: str) -> None:
    parts = path.rstrip("/").split("/")
    outside = ".." in parts or path.startswith("/") or _DRIVE.match(path) is not None
    if outside or "\\" in path or not path.isprintable() or not all(parts) or "." in parts:
        raise ArchiveRefused(f"An entry's path leads out of the archive or is malformed: {path[:100]!r}.")


def _check_kind(entry: zipfile.ZipInfo) -> None:
    name = repr(entry.filename[:100])
    if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise ArchiveRefused(f"{name} is a link or a device, not a file.")
    if entry.flag_bits & _ENCRYPTED:
        raise ArchiveRefused(f"{name} is encrypted; pack the archive without a password.")
    if entry.compress_type not in _METHODS:
        raise ArchiveRefused(f"{name} is packed with an unusual method; use an ordinary zip.")
    if entry.file_size > SMALL and entry.file_size > MAX_RATIO * entry.compress_size:
        raise ArchiveRefused(f"{name} unpacks to more than {MAX_RATIO} times its size.")


def _wanted(entry: zipfile.ZipInfo) -> bool:
    *folders, name = entry.filename.split("/")
    # What a Mac adds beside each file carries the file's ending but is no text.
    hidden = name.startswith(".") or "__MACOSX" in folders
    return not hidden and name.lower().endswith(TEXTS)


def _text(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> str:
    with archive.open(entry) as packed:
        content = packed.read(entry.file_size + 1)
    if len(content) != entry.file_size:
        raise ArchiveRefused(f"{entry.filename[:100]!r} is not as large as the archive says.")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise ArchiveRefused(f"{entry.filename[:100]!r} is not UTF-8 text.") from None
