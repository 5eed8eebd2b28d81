"""Uploaded projects, checked and inspected without executing them."""

import hashlib
import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass

from crewai_runner.core.project_archive import ProjectArchive, read_project_archive
from crewai_runner.core.text import replace_unstorable
from crewai_runner.domain.project import ProjectInspection
from crewai_runner.domain.project_inspection.inspection import inspect_project
from crewai_runner.features.projects.schemas import ProjectFile, UploadIdentity

MAX_NAME_LENGTH = 200
MAX_LISTED = 20


@dataclass(frozen=True, slots=True)
class CheckedUpload:
    """A project to store. `identity` identifies the request for idempotency."""

    identity: UploadIdentity
    name: str
    archive: ProjectArchive
    packed: bytes
    """The zip that is stored: without `.env` files, links and installed packages."""
    files: list[ProjectFile]
    inspection: ProjectInspection

    @property
    def warnings(self) -> list[str]:
        """What was left out of the upload, and what the inspection warns of."""
        left_out = [
            f"{path[:200]!r} was left out: it is a symbolic link, or another file has the same path."
            for path in self.archive.left_out[:MAX_LISTED]
        ]
        return [*left_out, *self.inspection.warnings]


def check_upload(body: bytes, name: str | None, note: str | None) -> CheckedUpload:
    """Read and inspect the zip of a project; the name defaults to the one in its files.

    This can take seconds: call it in a thread. Raises ArchiveRefused.
    """
    archive = read_project_archive(body)
    inspection = inspect_project(archive.files)
    identity = UploadIdentity(sha256=hashlib.sha256(body).hexdigest(), name=name, note=note)
    files = [
        ProjectFile(path=path, size=len(content), sha256=hashlib.sha256(content).hexdigest())
        for path, content in sorted(archive.files.items())
    ]
    found = " ".join(replace_unstorable(name or inspection.name).split())
    return CheckedUpload(
        identity, found[:MAX_NAME_LENGTH] or "Project", archive, archive.pack(), files, inspection
    )


def pack_files(files: Mapping[str, bytes]) -> bytes:
    """Return single files, by path, as a zip; their paths are checked when it is read."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for path, content in files.items():
            archive.writestr(zipfile.ZipInfo(path), content)
    return packed.getvalue()
