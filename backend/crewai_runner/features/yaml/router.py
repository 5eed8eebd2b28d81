"""Workflow documents over HTTP: checked, described, converted; nothing is stored or run."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Response
from starlette.responses import JSONResponse

from crewai_runner.features.workflows.errors import DocumentInvalid
from crewai_runner.features.yaml.deps import Reader, Yaml
from crewai_runner.features.yaml.schemas import (
    ConvertedYaml,
    ValidationReport,
    YamlConversion,
    YamlValidation,
)
from crewai_runner.features.yaml.service import schema_text
from crewai_runner.http.problems import problems

router = APIRouter(prefix="/yaml", tags=["yaml"])
SCHEMA_TYPE = "application/schema+json"
_SCHEMA_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "JSON Schema, draft 2020-12.",
        "content": {SCHEMA_TYPE: {"schema": {"type": "object"}}},
    },
    304: {"description": "The schema named in If-None-Match is still the newest."},
}


@router.post("/validate")
async def validate_yaml(body: YamlValidation, reader: Reader, yaml: Yaml) -> ValidationReport:
    """Check a document; the answer is 200 whether it is valid or not.

    Every problem is named at once, with line, column, path, what to do and often what was meant. A
    document is data: nothing in it is imported, opened, started or contacted, and nothing is stored.
    Models, embedders and tools it names are looked up among the registered ones.
    """
    return await yaml.validate(reader, body.yaml_content)


@router.get("/schema", response_class=JSONResponse, responses=_SCHEMA_RESPONSES)
async def get_yaml_schema(
    reader: Reader,  # noqa: ARG001  # says who may come in
    if_none_match: Annotated[str | None, Header(max_length=1000, description="The ETag last seen.")] = None,
) -> Response:
    """The JSON Schema of a workflow document, for editors: every key, its type and what it means."""
    text, digest = schema_text()
    headers = {"ETag": f'"{digest}"', "Cache-Control": "private, no-cache"}
    if f'"{digest}"' in (if_none_match or ""):
        return Response(status_code=304, headers=headers)
    return Response(text, media_type=SCHEMA_TYPE, headers=headers)


@router.post("/convert", responses=problems(DocumentInvalid))
async def convert_yaml(body: YamlConversion, reader: Reader, yaml: Yaml) -> ConvertedYaml:
    """Write a valid document in the other spelling: agents and tasks by name, or as lists.

    The text is written anew, so comments and layout of the original are not in it.
    """
    return await yaml.convert(reader, body.yaml_content, body.to)
