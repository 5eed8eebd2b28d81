"""Reads the form with which knowledge files are uploaded."""

from typing import Any

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException
from starlette.requests import Request

from crewai_runner.core.errors import BadRequest
from crewai_runner.features.knowledge.errors import KnowledgeFileRefused, KnowledgeFileTooLarge
from crewai_runner.features.knowledge.rules import (
    MAX_FILE_BYTES,
    MAX_UPLOADED_FILES,
    MAX_WORKFLOW_BYTES,
    MEGABYTE,
    find_name_problem,
)
from crewai_runner.features.knowledge.schemas import UploadedFile
from crewai_runner.http.upload_time import limit_upload_time

FORM_TYPE = "multipart/form-data"
UPLOAD_PATHS = r"/workflows/[^/]+/knowledge"
"""The routes whose bodies may be this large, below the prefix of the API."""
MAX_UPLOAD_BYTES = MAX_WORKFLOW_BYTES + MEGABYTE
UPLOAD_SCHEMA: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            FORM_TYPE: {
                "schema": {
                    "type": "object",
                    "required": ["files"],
                    "properties": {
                        "files": {
                            "type": "array",
                            "items": {"type": "string", "format": "binary"},
                            "minItems": 1,
                            "maxItems": MAX_UPLOADED_FILES,
                        }
                    },
                }
            }
        },
    }
}


async def read_files(request: Request) -> list[UploadedFile]:
    """Read and check the files of a form. Raises BadRequest, KnowledgeFileRefused, KnowledgeFileTooLarge."""
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != FORM_TYPE:
        raise BadRequest(f"Send the files as `files` of a form ({FORM_TYPE}).")
    async with limit_upload_time():
        try:
            async with request.form(max_files=MAX_UPLOADED_FILES, max_fields=1) as form:
                parts = [part for part in form.getlist("files") if isinstance(part, UploadFile)]
                return [await _read_file(part) for part in _check_parts(parts)]
        except MultiPartException as error:
            raise BadRequest(f"The form cannot be read: {error.message}") from None


def _check_parts(parts: list[UploadFile]) -> list[UploadFile]:
    if not parts:
        raise BadRequest("Send at least one file as `files`.")
    names = [part.filename or "" for part in parts]
    for part, name in zip(parts, names, strict=True):
        if (problem := find_name_problem(name)) is not None:
            raise KnowledgeFileRefused(name, problem)
        if names.count(name) > 1:
            raise KnowledgeFileRefused(name, "was sent more than once")
        if (part.size or 0) > MAX_FILE_BYTES:
            limit = MAX_FILE_BYTES // MEGABYTE
            raise KnowledgeFileTooLarge(f"{name[:200]!r} is larger than {limit} MiB. Split it into several.")
        if not part.size:
            raise KnowledgeFileRefused(name, "is empty")
    return parts


async def _read_file(part: UploadFile) -> UploadedFile:
    return UploadedFile(part.filename or "", await part.read())
