"""Reads the form of a start with files."""

from dataclasses import dataclass, field
from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException
from starlette.requests import Request

from crewai_runner.core.errors import BadRequest
from crewai_runner.domain.output_files import find_path_problem, normalize_path
from crewai_runner.executor.run_files import MAX_FILE_BYTES, MAX_TOTAL_BYTES
from crewai_runner.features.executions.errors import RunFilesRefused, RunFilesTooLarge
from crewai_runner.features.executions.schemas import RunStart
from crewai_runner.http.upload_time import limit_upload_time

FORM_TYPE = "multipart/form-data"
UPLOAD_PATHS = r"/runs/with-files"
"""The route whose bodies may be this large, below the prefix of the API."""
MAX_ATTACHED = 20
MAX_START_BYTES = 2 * 1024 * 1024
RUN_FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            FORM_TYPE: {
                "schema": {
                    "type": "object",
                    "required": ["run", "files"],
                    "properties": {
                        "run": {
                            "type": "string",
                            "description": "JSON as the body of `POST /runs`.",
                        },
                        "files": {
                            "type": "array",
                            "items": {"type": "string", "format": "binary"},
                            "minItems": 1,
                            "maxItems": MAX_ATTACHED,
                            "description": "Each with its path in the run as file name.",
                        },
                    },
                }
            }
        },
    }
}


@dataclass(frozen=True, slots=True)
class RunForm:
    request: RunStart
    files: dict[str, bytes] = field(repr=False)


async def read_run_form(request: Request) -> RunForm:
    """Raises BadRequest, RequestValidationError, RunFilesRefused, RunFilesTooLarge, BodyTooSlow."""
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != FORM_TYPE:
        raise BadRequest(f"Send `run` and `files` as a form ({FORM_TYPE}).")
    async with limit_upload_time():
        try:
            async with request.form(
                max_files=MAX_ATTACHED, max_fields=1, max_part_size=MAX_START_BYTES
            ) as form:
                return RunForm(_read_start(form), await _read_files(form))
        except MultiPartException as error:
            raise BadRequest(f"The form cannot be read: {error.message}") from None


def _read_start(form: FormData) -> RunStart:
    text = form.get("run")
    if not isinstance(text, str):
        raise BadRequest("`run` must be JSON, as the body of POST /runs.")
    try:
        return RunStart.model_validate_json(text)
    except ValidationError as error:
        errors = error.errors(include_url=False, include_input=False)
        located = [{**details, "loc": ("body", "run", *details["loc"])} for details in errors]
        raise RequestValidationError(located) from None


async def _read_files(form: FormData) -> dict[str, bytes]:
    parts = [part for part in form.getlist("files") if isinstance(part, UploadFile)]
    if not parts:
        raise BadRequest("Send at least one file as `files`.")
    paths = [_check_path(part.filename or "") for part in parts]
    if len({path.casefold() for path in paths}) != len(paths):
        raise RunFilesRefused("Each of the `files` needs a path of its own.")
    sizes = [part.size or 0 for part in parts]
    if max(sizes) > MAX_FILE_BYTES or sum(sizes) > MAX_TOTAL_BYTES:
        raise RunFilesTooLarge(
            f"A file can have {MAX_FILE_BYTES // 1024**2} MiB, and all together "
            f"{MAX_TOTAL_BYTES // 1024**2} MiB."
        )
    return {path: await part.read() for path, part in zip(paths, parts, strict=True)}


def _check_path(path: str) -> str:
    if (problem := find_path_problem(path)) is not None:
        shown = path[:200]
        raise RunFilesRefused(
            f"{shown!r} {problem}.", errors=[{"pointer": f"/files/{shown}", "detail": problem}]
        )
    return normalize_path(path)
