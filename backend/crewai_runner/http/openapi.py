"""The OpenAPI document: problem bodies, unique operation ids, the bearer scheme."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

DESCRIPTION = """\
Write crews, run them for real, watch every agent, task, model call and tool call, talk to a crew
while it works, stop it and know that it stopped.

Every path under `/api/v1` is also reachable under `/api`. Press **Authorize** and enter the API key.
"""


def operation_id(route: APIRoute) -> str:
    """`runs:start_run`: the feature's tag, then the endpoint function's name."""
    tag = str(route.tags[0]) if route.tags else "root"
    return f"{tag}:{route.name}"


def describe(app: FastAPI) -> dict[str, Any]:
    """The document, made once: every failure body is a ProblemDetails, every body limit is declared."""
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
