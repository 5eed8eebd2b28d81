"""The backup file: a tar.gz whose first member is a manifest of the others."""

import gzip
import hashlib
import io
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

from crewai_runner.operations import manifest as manifests
from crewai_runner.operations.encrypted_file import (
    CHUNK_BYTES,
    DecryptingReader,
    EncryptingWriter,
    is_encrypted,
)
from crewai_runner.operations.errors import OperationError
from crewai_runner.operations.manifest import Manifest, Member

AskPassphrase = Callable[[], str]
MANIFEST = "manifest.json"
FOLDERS = frozenset({"database", "engine", "keys"})
"""The top-level folders of a backup."""
_MAX_MANIFEST_BYTES = 64 * 1024**2
_CHUNK_BYTES = 1024**2
_BROKEN = (tarfile.TarError, EOFError, OSError, zlib.error)


def members_of(folder: Path) -> list[Member]:
    """List every file below a folder, with size (bytes) and SHA-256."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [_make_member(path, path.relative_to(folder).as_posix()) for path in files]


def _make_member(path: Path, name: str) -> Member:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Member(name=name, size=path.stat().st_size, sha256=digest)


def pack(manifest: Manifest, folder: Path, target: BinaryIO, passphrase: str | None = None) -> None:
    """Write the manifest and the members it lists, encrypted if there is a passphrase."""
    if passphrase is None:
        _pack(manifest, folder, target)
        return
    with EncryptingWriter(target, passphrase) as encrypted:
        _pack(manifest, folder, cast("BinaryIO", encrypted))


def _pack(manifest: Manifest, folder: Path, target: BinaryIO) -> None:
    text = manifest.model_dump_json(indent=1).encode()
    timestamp = int(manifest.created_at.timestamp())
    with tarfile.open(fileobj=target, mode="w:gz", compresslevel=6, format=tarfile.PAX_FORMAT) as tar:
        tar.addfile(_tar_info(MANIFEST, len(text), timestamp), io.BytesIO(text))
        for member in manifest.members:
            with (folder / member.name).open("rb") as file:
                tar.addfile(_tar_info(member.name, member.size, timestamp), file)


def _tar_info(name: str, size: int, timestamp: int) -> tarfile.TarInfo:
    header = tarfile.TarInfo(name)
    header.size, header.mtime, header.mode = size, timestamp, 0o600
    return header


def unpack(source: Path, folder: Path, ask_passphrase: AskPassphrase) -> Manifest:
    """Extract every member into an empty folder and verify size and checksum. Raises OperationError.

    `ask_passphrase` is called if the file is encrypted.
    """
    try:
        with (
            source.open("rb") as file,
            _open_text(file, ask_passphrase) as stream,
            tarfile.open(fileobj=stream, mode="r|") as tar,
        ):
            manifest = _unpack(tar, folder)
            while stream.read(_CHUNK_BYTES):  # reads to the end, so that gzip verifies its checksum
                continue
            return manifest
    except FileNotFoundError:
        raise OperationError(f"There is no file {source}.") from None
    except _BROKEN as error:
        raise OperationError(f"{source} is damaged, truncated or not a backup ({error}).") from None


def _open_text(file: BinaryIO, ask_passphrase: AskPassphrase) -> gzip.GzipFile:
    """Open the compressed text of a backup, which may be encrypted."""
    if not is_encrypted(file):
        return gzip.GzipFile(fileobj=file)
    decrypted = DecryptingReader(file, ask_passphrase())
    return gzip.GzipFile(fileobj=io.BufferedReader(decrypted, CHUNK_BYTES))


def _unpack(tar: tarfile.TarFile, folder: Path) -> Manifest:
    header = tar.next()
    if header is None or header.name != MANIFEST or header.size > _MAX_MANIFEST_BYTES:
        raise OperationError("This is not a backup of CrewAI Runner: it does not start with a manifest.")
    manifest = manifests.parse(_open(tar, header).read())
    missing = {member.name: member for member in manifest.members}
    while (header := tar.next()) is not None:
        member = missing.pop(header.name, None)
        if member is None:
            raise OperationError(f"The backup contains {header.name!r}, which its manifest does not list.")
        _write(tar, header, member, folder / _safe_path(header.name))
    if missing:
        raise OperationError(f"The backup lacks {min(missing)!r}, which its manifest lists.")
    return manifest


def _safe_path(name: str) -> PurePosixPath:
    """Return the member's relative path. Raises OperationError when it would leave the folder."""
    path = PurePosixPath(name)
    is_unsafe = path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name
    if is_unsafe or len(path.parts) < 2 or path.parts[0] not in FOLDERS:
        raise OperationError(f"The backup contains a file with a forbidden name: {name!r}.")
    return path


def _open(tar: tarfile.TarFile, header: tarfile.TarInfo) -> BinaryIO:
    stream = tar.extractfile(header) if header.isreg() else None
    if stream is None:
        raise OperationError(f"The backup contains {header.name!r}, which is not a regular file.")
    return stream  # type: ignore[return-value]  # typeshed's IO[bytes]


def _write(tar: tarfile.TarFile, header: tarfile.TarInfo, member: Member, target: Path) -> None:
    stream, digest = _open(tar, header), hashlib.sha256()
    if header.size != member.size:
        raise OperationError(f"{member.name!r} in the backup does not have the size its manifest lists.")
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("xb") as file:
        while chunk := stream.read(_CHUNK_BYTES):
            digest.update(chunk)
            file.write(chunk)
    if digest.hexdigest() != member.sha256:
        raise OperationError(
            f"{member.name!r} in the backup does not have the checksum its manifest lists: it was modified."
        )
