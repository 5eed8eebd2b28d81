"""Reads the body of an upload: a zip, or a form with a zip or with single files."""

import asyncio
import re
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException
from starlette.requests import Request

from crewai_runner.core.errors import BadRequest, TooLarge
from crewai_runner.core.project_archive import MAX_ARCHIVE_BYTES, MAX_FILES
from crewai_runner.features.projects.errors import UploadTypeUnknown
from crewai_runner.features.projects.uploads import CheckedUpload, check_upload, pack_files
from crewai_runner.http.upload_time import limit_upload_time

ZIP_TYPES = ("application/zip", "application/x-zip-compressed")
FORM_TYPE = "multipart/form-data"
UPLOAD_PATHS = r"/projects(/[^/]+/versions)?"
"""The routes whose bodies may be this large, below the prefix of the API."""
MAX_UPLOAD_BYTES = MAX_ARCHIVE_BYTES + 1024**2
"""With the other fields and the headers of a form."""

_BINARY: dict[str, Any] = {"type": "string", "format": "binary"}
_FORM: dict[str, Any] = {
    "type": "object",
    "properties": {
        "file": _BINARY | {"description": "The project as a zip."},
        "files": {
            "type": "array",
            "items": _BINARY,
            "description": "Instead of `file`: its files, each with its path as file name.",
        },
        "name": {"type": "string", "maxLength": 200},
        "note": {"type": "string", "maxLength": 500},
    },
}
UPLOAD_SCHEMA: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {FORM_TYPE: {"schema": _FORM}, ZIP_TYPES[0]: {"schema": _BINARY}},
    }
}
_TEXT = re.compile(r"[^\x00-\x1f]*")


@dataclass(frozen=True, slots=True)
class _Upload:
    body: bytes
    name: str | None = None
    note: str | None = None


async def read_upload(
    request: Request, name: str | None, note: str | None, checking: asyncio.Semaphore
) -> CheckedUpload:
    """Read and check an upload. A name and note in the form count before those given here.

    `checking` limits how many are unpacked at the same time.
    Raises UploadTypeUnknown, BadRequest, TooLarge, BodyTooSlow, ArchiveRefused.
    """
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type not in (*ZIP_TYPES, FORM_TYPE):
        raise UploadTypeUnknown(f"Send the project as {ZIP_TYPES[0]} or as {FORM_TYPE}.")
    async with limit_upload_time():
        upload = await _read_form(request) if content_type == FORM_TYPE else _Upload(await _read_zip(request))
    async with checking:
        return await asyncio.to_thread(check_upload, upload.body, upload.name or name, upload.note or note)


async def _read_zip(request: Request) -> bytes:
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        check_upload_size(size)
        chunks.append(chunk)
    return b"".join(chunks)


async def _read_form(request: Request) -> _Upload:
    try:
        async with request.form(max_files=MAX_FILES, max_fields=10) as form:
            name, note = get_form_text(form, "name", 200), get_form_text(form, "note", 500)
            archives = [part for part in form.getlist("file") if isinstance(part, UploadFile)]
            if len(archives) == 1:
                check_upload_size(archives[0].size or 0)
                return _Upload(await archives[0].read(), name, note)
            files = [part for part in form.getlist("files") if isinstance(part, UploadFile)]
            if archives or not files:
                raise BadRequest("Send one zip as `file`, or the files of the project as `files`.")
            check_upload_size(sum(part.size or 0 for part in files))
            contents = {part.filename or "": await part.read() for part in files}
            if len(contents) != len(files):
                raise BadRequest("Each of the `files` needs its path as its file name.")
            return _Upload(await asyncio.to_thread(pack_files, contents), name, note)
    except MultiPartException as error:
        raise BadRequest(f"The form cannot be read: {error.message}") from None


def get_form_text(form: FormData, field: str, max_length: int) -> str | None:
    """Return a field of one line; None if it is absent or empty. Raises BadRequest."""
    value = form.get(field)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > max_length or not _TEXT.fullmatch(value):
        raise BadRequest(f"`{field}` must be one line of up to {max_length} characters.")
    return value


def check_upload_size(size: int) -> None:
    """Raises TooLarge for an archive of more bytes than the limit."""
    if size > MAX_ARCHIVE_BYTES:
        raise TooLarge(
            f"The upload is larger than {MAX_ARCHIVE_BYTES // 1024**2} MiB. "
            "Leave out data, installed packages and the history of git."
        )
