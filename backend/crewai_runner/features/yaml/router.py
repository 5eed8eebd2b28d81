"""HTTP API of workflow documents: validation, schema, conversion. Nothing is stored or run."""

from typing import Any

from fastapi import Response
from starlette.responses import JSONResponse

from crewai_runner.features.workflows.errors import DocumentInvalid
from crewai_runner.features.yaml.deps import Reader, Yaml
from crewai_runner.features.yaml.schemas import (
    ConvertedYaml,
    ValidationReport,
    YamlConversion,
    YamlValidation,
)
from crewai_runner.features.yaml.service import get_schema
from crewai_runner.http.deps import Conditional
from crewai_runner.http.prefixed_router import PrefixedRouter
from crewai_runner.http.problems import problems
from crewai_runner.http.unaudited import unaudited

router = PrefixedRouter(prefix="/yaml", tags=["yaml"])
SCHEMA_TYPE = "application/schema+json"
_SCHEMA_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "JSON Schema, draft 2020-12.",
        "content": {SCHEMA_TYPE: {"schema": {"type": "object"}}},
    },
}


@router.post("/validate", **unaudited("It stores nothing."))
async def validate_yaml(body: YamlValidation, reader: Reader, yaml: Yaml) -> ValidationReport:
    """Validate a document. The status is 200 whether it is valid or not.

    All problems are reported at once, with line, column, path, message and often a suggestion. Names of
    models, embedders and tools are checked against the registered ones. Nothing in the document is
    executed, opened or contacted, and nothing is stored.
    """
    return await yaml.validate(reader, body.yaml_content)


@router.get("/schema", response_class=JSONResponse, responses=_SCHEMA_RESPONSES, dependencies=[Conditional])
async def get_yaml_schema(
    reader: Reader,  # noqa: ARG001 - required scope
) -> Response:
    """Get the JSON Schema of workflow documents, for editors."""
    text, digest = get_schema()
    headers = {"ETag": f'"{digest}"', "Cache-Control": "private, no-cache"}
    return Response(text, media_type=SCHEMA_TYPE, headers=headers)


@router.post("/convert", **unaudited("It stores nothing."), responses=problems(DocumentInvalid))
async def convert_yaml(body: YamlConversion, reader: Reader, yaml: Yaml) -> ConvertedYaml:
    """Convert a valid document to the other format: agents and tasks by name, or as lists.

    Comments and layout of the original text are lost.
    """
    return await yaml.convert(reader, body.yaml_content, body.to)
