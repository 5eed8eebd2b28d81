"""The OpenAPI document: problem responses and operation ids."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

DESCRIPTION = """\
Write crews, run them, follow every agent, task, model call and tool call, send messages to running
agents, and stop runs reliably.

Every path under `/api/v1` is also reachable under `/api`. Press **Authorize** and enter the API key.
"""


def operation_id(route: APIRoute) -> str:
    """Return the tag and the function name of an endpoint, such as `runs:start_run`."""
    tag = str(route.tags[0]) if route.tags else "root"
    return f"{tag}:{route.name}"


def build_openapi(app: FastAPI) -> dict[str, Any]:
    """Build the document once; every error response has the schema ProblemDetails."""
    if app.openapi_schema:
        return app.openapi_schema
    schema = get_openapi(
        title=app.title,
        version=app.version,
        description=DESCRIPTION,
        routes=app.routes,
        tags=app.openapi_tags,
    )
    for operations in schema["paths"].values():
        for operation in operations.values():
            _use_problems(operation["responses"])
            _add_not_modified(operation)
    schema["components"]["schemas"].pop("HTTPValidationError", None)
    schema["components"]["schemas"].pop("ValidationError", None)
    app.openapi_schema = schema
    return schema


def _use_problems(responses: dict[str, Any]) -> None:
    for status, response in responses.items():
        if status == "default" or int(status) >= 400:
            response["content"] = {
                "application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}
            }


def _add_not_modified(operation: dict[str, Any]) -> None:
    names = {parameter["name"] for parameter in operation.get("parameters", ())}
    if "if-none-match" in names:
        operation["responses"]["304"] = {"description": "Not modified since the ETag in `If-None-Match`."}
