"""The OpenAPI document: problem responses and operation ids."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute, iter_route_contexts

from crewai_runner.core.roles import ROLE_SCOPES
from crewai_runner.http.scopes import find_scopes

DESCRIPTION = """\
Write crews, run them, follow every agent, task, model call and tool call, send messages to running
agents, and stop runs reliably.

Every path under `/api/v1` is also reachable under `/api`. Press **Authorize** and enter the API key.

Each operation requires the scope that is named at its end; `GET /api/v1/me` lists those of the caller.
"""

_PROBLEM = {"$ref": "#/components/schemas/ProblemDetails"}


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
    _show_scopes(app, schema)
    schema["x-roles"] = {role.value: sorted(scopes) for role, scopes in ROLE_SCOPES.items()}
    schema["components"]["schemas"].pop("HTTPValidationError", None)
    schema["components"]["schemas"].pop("ValidationError", None)
    app.openapi_schema = schema
    return schema


def _use_problems(responses: dict[str, Any]) -> None:
    for status, response in responses.items():
        if status == "default" or int(status) >= 400:
            own = response.get("content", {}).get("application/json")
            is_other = own is not None and own.get("schema") != _PROBLEM
            response["content"] = {"application/problem+json": {"schema": _PROBLEM}}
            if is_other:  # errors of another protocol
                response["content"]["application/json"] = own


def _add_not_modified(operation: dict[str, Any]) -> None:
    names = {parameter["name"] for parameter in operation.get("parameters", ())}
    if "if-none-match" in names:
        operation["responses"]["304"] = {"description": "Not modified since the ETag in `If-None-Match`."}


def _show_scopes(app: FastAPI, schema: dict[str, Any]) -> None:
    """Name the required scope in `security`, where OpenAPI 3.1 has a place for it, and for readers."""
    for route in iter_route_contexts(app.routes):
        if not isinstance(route.original_route, APIRoute):
            continue
        for method in route.methods or ():
            operation = schema["paths"].get(route.path_format, {}).get(method.lower())
            scopes = sorted(find_scopes(route.dependant))
            if operation is None or not scopes:
                continue
            operation["security"] = [dict.fromkeys(each, scopes) for each in operation["security"]]
            operation["description"] += f"\n\nScope: `{'`, `'.join(scopes)}`"
