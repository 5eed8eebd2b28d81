"""The file of a backup: a tar.gz whose first member says what the others are."""

import gzip
import hashlib
import io
import tarfile
import zlib
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from crewai_runner.operations import manifest as manifests
from crewai_runner.operations.manifest import Manifest, Member
from crewai_runner.operations.refusal import Refused

MANIFEST = "manifest.json"
ROOMS = frozenset({"database", "engine", "keys"})
"""The folders of a backup."""
_LARGEST_MANIFEST = 64 * 1024**2
_CHUNK = 1024**2
_BROKEN = (tarfile.TarError, EOFError, OSError, zlib.error)


def members_of(folder: Path) -> list[Member]:
    """Every file below a folder, with its size and sum."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [_member(path, path.relative_to(folder).as_posix()) for path in files]


def _member(path: Path, name: str) -> Member:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Member(name=name, size=path.stat().st_size, sha256=digest)


def pack(manifest: Manifest, folder: Path, target: BinaryIO) -> None:
    """Write the manifest and the members it lists, taken from the folder."""
    text = manifest.model_dump_json(indent=1).encode()
    moment = int(manifest.created_at.timestamp())
    with tarfile.open(fileobj=target, mode="w:gz", compresslevel=6, format=tarfile.PAX_FORMAT) as tar:
        tar.addfile(_head(MANIFEST, len(text), moment), io.BytesIO(text))
        for member in manifest.members:
            with (folder / member.name).open("rb") as file:
                tar.addfile(_head(member.name, member.size, moment), file)


def _head(name: str, size: int, moment: int) -> tarfile.TarInfo:
    head = tarfile.TarInfo(name)
    head.size, head.mtime, head.mode = size, moment, 0o600
    return head


def unpack(source: Path, folder: Path) -> Manifest:
    """Write every member into an empty folder, each one checked. Raises Refused."""
    try:
        with gzip.open(source) as stream, tarfile.open(fileobj=stream, mode="r|") as tar:
            manifest = _unpack(tar, folder)
            while stream.read(_CHUNK):  # the sum of the whole stands behind the last member
                continue
            return manifest
    except FileNotFoundError:
        raise Refused(f"There is no file {source}.") from None
    except _BROKEN as error:
        raise Refused(f"{source} is damaged, cut short or no backup ({error}).") from None


def _unpack(tar: tarfile.TarFile, folder: Path) -> Manifest:
    head = tar.next()
    if head is None or head.name != MANIFEST or head.size > _LARGEST_MANIFEST:
        raise Refused("This is no backup of CrewAI Runner: it does not begin with a manifest.")
    manifest = manifests.parse(_open(tar, head).read())
    awaited = {member.name: member for member in manifest.members}
    while (head := tar.next()) is not None:
        member = awaited.pop(head.name, None)
        if member is None:
            raise Refused(f"The backup holds {head.name!r}, which its manifest does not list.")
        _write(tar, head, member, folder / _safe(head.name))
    if awaited:
        raise Refused(f"The backup lacks {min(awaited)!r}, which its manifest lists.")
    return manifest


def _safe(name: str) -> PurePosixPath:
    """A name that stays within the folder. Raises Refused."""
    path = PurePosixPath(name)
    strange = path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name
    if strange or len(path.parts) < 2 or path.parts[0] not in ROOMS:
        raise Refused(f"The backup holds a file under a name that is not allowed: {name!r}.")
    return path


def _open(tar: tarfile.TarFile, head: tarfile.TarInfo) -> BinaryIO:
    stream = tar.extractfile(head) if head.isreg() else None
    if stream is None:
        raise Refused(f"The backup holds {head.name!r}, which is no plain file.")
    return stream  # type: ignore[return-value]  # typeshed's IO[bytes]


def _write(tar: tarfile.TarFile, head: tarfile.TarInfo, member: Member, target: Path) -> None:
    stream, digest = _open(tar, head), hashlib.sha256()
    if head.size != member.size:
        raise Refused(f"{member.name!r} in the backup has another size than its manifest says.")
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("xb") as file:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
            file.write(chunk)
    if digest.hexdigest() != member.sha256:
        raise Refused(
            f"{member.name!r} in the backup does not have the sum its manifest says: it was changed."
        )
