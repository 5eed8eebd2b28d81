"""Reads the form that CrewAI's command line uploads: the project as a zip, and its environment variables."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import SecretStr
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException
from starlette.requests import Request

from crewai_runner.core.errors import BadRequest, Unprocessable
from crewai_runner.features.projects.deployments.errors import DeploymentRefused
from crewai_runner.features.projects.deployments.rules import describe_left_out, parse_variable
from crewai_runner.features.projects.errors import UploadTypeUnknown
from crewai_runner.features.projects.rules import split_secrets
from crewai_runner.features.projects.schemas import MAX_SECRET_LENGTH
from crewai_runner.features.projects.upload_body import (
    FORM_TYPE,
    check_upload_size,
    get_form_text,
)
from crewai_runner.features.projects.uploads import CheckedUpload, check_upload
from crewai_runner.http.upload_time import limit_upload_time

ARCHIVE = "zip_file"
MAX_FIELDS = 300
MAX_FIELD_BYTES = 4 * MAX_SECRET_LENGTH


@dataclass(frozen=True, slots=True)
class DeploymentForm:
    """A checked project and the variables that come with it; `left_out` names those that cannot be set."""

    upload: CheckedUpload
    variables: Mapping[str, SecretStr]
    left_out: Sequence[str]


@dataclass(frozen=True, slots=True)
class _Fields:
    archive: bytes
    name: str | None
    variables: Mapping[str, str]


async def read_deployment(request: Request, checking: asyncio.Semaphore) -> DeploymentForm:
    """Read and check an upload; `checking` limits how many are unpacked at the same time.

    Raises UploadTypeUnknown, BadRequest, DeploymentRefused, TooLarge, BodyTooSlow.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM_TYPE:
        raise UploadTypeUnknown(f"Send the project as {FORM_TYPE} with a `{ARCHIVE}`.")
    async with limit_upload_time():
        fields = await _read_fields(request)
    variables, left_out = split_secrets(fields.variables)
    note = describe_left_out(left_out)
    async with checking:
        try:
            upload = await asyncio.to_thread(check_upload, fields.archive, fields.name, note)
        except Unprocessable as refused:
            raise DeploymentRefused(refused.detail) from None
    return DeploymentForm(upload, {name: SecretStr(value) for name, value in variables.items()}, left_out)


async def _read_fields(request: Request) -> _Fields:
    form_reader = request.form(max_files=1, max_fields=MAX_FIELDS, max_part_size=MAX_FIELD_BYTES)
    try:
        async with form_reader as form:
            archive = form.get(ARCHIVE)
            if not isinstance(archive, UploadFile):
                raise BadRequest(f"Send the project as a zip in the field `{ARCHIVE}`.")
            check_upload_size(archive.size or 0)
            return _Fields(await archive.read(), get_form_text(form, "name", 200), _read_variables(form))
    except MultiPartException as error:
        raise BadRequest(f"The form cannot be read: {error.message}") from None


def _read_variables(form: FormData) -> dict[str, str]:
    variables: dict[str, str] = {}
    for field, value in form.multi_items():
        name = parse_variable(field)
        if name is None:
            continue
        if not isinstance(value, str) or "\x00" in value or len(value) > MAX_SECRET_LENGTH:
            raise DeploymentRefused(
                f"The variable {name[:100]!r} is not a text of up to {MAX_SECRET_LENGTH:,} characters."
            )
        variables[name] = value
    return variables
