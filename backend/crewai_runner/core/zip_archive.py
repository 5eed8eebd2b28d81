"""Reads zip archives that anyone may have made, and writes reproducible ones; all in memory."""

import contextlib
import io
import re
import stat
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from crewai_runner.core.errors import Unprocessable

MAX_RATIO = 100
MIN_CHECKED_BYTES = 64 * 1024
"""The compression ratio of smaller files is not checked."""
_MAX_PATH_BYTES, _MAX_NAME_BYTES = 1_024, 255
_ENTRY_SIGNATURE = b"PK\x01\x02"
_SPARE_FACTOR = 4
"""Stored files may contain the signature of an entry, because they are archives themselves."""
_ENCRYPTED = 0x1 | 0x40 | 0x2000
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_DRIVE = re.compile(r"^[A-Za-z]:")
_EARLIEST = date(1980, 1, 1)
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


class ArchiveRefused(Unprocessable):
    """An uploaded archive is damaged or violates a limit; nothing of it was used."""

    slug = "archive-refused"
    title = "Archive refused"


@contextlib.contextmanager
def open_archive(body: bytes, max_entries: int) -> Iterator[zipfile.ZipFile]:
    """Open a zip whose entries all have paths inside it. Raises ArchiveRefused, also while it is open."""
    too_many = f"The archive has more than {max_entries:,} entries. Leave out installed packages and data."
    # zipfile creates an object per entry before it says how many there are.
    if body.count(_ENTRY_SIGNATURE) > _SPARE_FACTOR * max_entries:
        raise ArchiveRefused(too_many)
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            entries = archive.infolist()
            if len(entries) > max_entries:
                raise ArchiveRefused(too_many)
            for entry in entries:
                _check_path(entry.orig_filename)
            yield archive
    except _READ_ERRORS as error:
        raise ArchiveRefused("This is not a readable zip archive.") from error


def is_link(entry: zipfile.ZipInfo) -> bool:
    """Return whether an entry is a symbolic link."""
    return stat.S_ISLNK(entry.external_attr >> 16)


def check_files(entries: Sequence[zipfile.ZipInfo], max_bytes: int, contents: str) -> None:
    """Check the files to read. `contents` names them, in the message about their size.

    Raises ArchiveRefused if they unpack to more than `max_bytes`, if two of them have paths that differ by
    case only, or if one is a link, a device, encrypted, or inside another file.
    """
    if sum(entry.file_size for entry in entries) > max_bytes:
        raise ArchiveRefused(f"{contents} unpack to more than {max_bytes // 1024**2} MiB. Leave out data.")
    for entry in entries:
        _check_type(entry)
    paths = [unicodedata.normalize("NFC", entry.filename).casefold() for entry in entries]
    known = set(paths)
    if len(known) != len(paths):
        raise ArchiveRefused("The archive has two entries with the same path.")
    for path in paths:
        parent = path.rpartition("/")[0]
        while parent:
            if parent in known:
                raise ArchiveRefused(f"{parent[:100]!r} is both a file and a folder.")
            parent = parent.rpartition("/")[0]


def check_ratio(entries: Sequence[zipfile.ZipInfo]) -> None:
    """Raise ArchiveRefused if a file is compressed more than text can be."""
    for entry in entries:
        if entry.file_size > MIN_CHECKED_BYTES and entry.file_size > MAX_RATIO * entry.compress_size:
            raise ArchiveRefused(f"{entry.filename[:100]!r} unpacks to more than {MAX_RATIO} times its size.")


def read_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """Return the content of a file. Raises ArchiveRefused if its recorded size is wrong."""
    with archive.open(entry) as packed:
        content = packed.read(entry.file_size + 1)
    if len(content) != entry.file_size:
        raise ArchiveRefused(f"{entry.filename[:100]!r} does not have the size recorded in the archive.")
    return content


def write_archive(files: Mapping[str, bytes], day: date | None = None) -> bytes:
    """Build a zip of files by path; equal files and an equal day give equal bytes.

    `day` is the recorded date of every file.
    """
    recorded = max(day or _EARLIEST, _EARLIEST)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(files):
            entry = zipfile.ZipInfo(path, date_time=(recorded.year, recorded.month, recorded.day, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (stat.S_IFREG | 0o644) << 16
            archive.writestr(entry, files[path])
    return packed.getvalue()


def _check_path(path: str) -> None:
    parts = path.rstrip("/").split("/")
    is_outside = ".." in parts or path.startswith("/") or _DRIVE.match(path) is not None
    if is_outside or "\\" in path or not path.isprintable() or not all(parts) or "." in parts:
        raise ArchiveRefused(f"The path of an entry is outside the archive or malformed: {path[:100]!r}.")
    if len(path.encode()) > _MAX_PATH_BYTES or any(len(part.encode()) > _MAX_NAME_BYTES for part in parts):
        raise ArchiveRefused(f"The path of an entry is too long: {path[:100]!r}.")


def _check_type(entry: zipfile.ZipInfo) -> None:
    name = repr(entry.filename[:100])
    if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise ArchiveRefused(f"{name} is a link or a device, not a file.")
    if entry.flag_bits & _ENCRYPTED:
        raise ArchiveRefused(f"{name} is encrypted; create the archive without a password.")
    if entry.compress_type not in _METHODS:
        raise ArchiveRefused(f"{name} has an unsupported compression method; use an ordinary zip.")
