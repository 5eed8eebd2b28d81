"""Error responses as RFC 9457 problem documents."""

from collections.abc import Mapping
from http import HTTPStatus
from itertools import islice
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse

from crewai_runner.core.api_model import ApiModel
from crewai_runner.core.errors import AppError, StorageFull, Unavailable
from crewai_runner.core.logging import get_logger
from crewai_runner.core.outside_values import clean_json
from crewai_runner.core.principal import Principal
from crewai_runner.core.secret_mask import SecretMask
from crewai_runner.db.failures import StorageFailure, find_storage_failure, is_database_unavailable
from crewai_runner.domain.audit_entry import get_entry

log = get_logger(__name__)
MAX_REPORTED_ERRORS = 50
TYPE_BASE = "https://crewai-runner.dev/problems/"
_CONSTANTS = frozenset({"type", "title", "status", "requestId"})


class FieldProblem(ApiModel):
    pointer: str = Field(description="JSON pointer into the body, or `?name` / `header:name` / `path:name`.")
    detail: str


class ProblemDetails(ApiModel):
    """RFC 9457 problem details, with further members by problem type.

    `error` and `message` repeat `detail` for clients of the first API version.
    """

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    instance: str
    request_id: str
    error: str
    message: str
    errors: list[FieldProblem] | None = None


class ProblemResponse(JSONResponse):
    media_type = "application/problem+json"


def problem_response(
    request: HTTPConnection, status: int, slug: str, title: str, detail: str, extra: Mapping[str, Any]
) -> ProblemResponse:
    """Build a response with a problem document; members of `extra` are added in camelCase.

    `extra["headers"]` becomes headers of the response.
    """
    get_entry().problem = slug
    body: dict[str, Any] = {
        "type": TYPE_BASE + slug,
        "title": title,
        "status": status,
        "detail": detail,
        "instance": request.url.path,
        "requestId": request.scope.get("request_id", ""),
        "error": detail,
        "message": detail,
    }
    headers = dict(extra.get("headers") or {})
    body |= {to_camel(key): value for key, value in extra.items() if key != "headers"}
    return ProblemResponse(_mask(request, body), status_code=status, headers=headers)


def _mask(request: HTTPConnection, body: dict[str, Any]) -> dict[str, Any]:
    """Mask the secrets of the caller's workspace in the texts of a problem; its structure stays."""
    principal = request.scope.get("principal")
    scopes = (principal.workspace_id,) if isinstance(principal, Principal) else ()
    secrets: SecretMask = request.app.state.mask
    mask = secrets.scoped(*scopes)
    return {name: value if name in _CONSTANTS else clean_json(value, mask) for name, value in body.items()}


def error_response(request: HTTPConnection, error: AppError) -> ProblemResponse:
    """Build the response to an application error."""
    return problem_response(request, error.status, error.slug, error.title, error.detail, error.extra)


def problems(*errors: type[AppError]) -> dict[int | str, dict[str, Any]]:
    """Declare the errors of an endpoint for the OpenAPI document."""
    responses: dict[int | str, dict[str, Any]] = {}
    for error in errors:
        response = responses.setdefault(
            int(error.status), {"description": error.title, "model": ProblemDetails}
        )
        if error.title not in response["description"]:
            response["description"] += f" / {error.title}"
    return responses


async def _handle_app_error(request: Request, exc: Exception) -> ProblemResponse:
    assert isinstance(exc, AppError)  # noqa: S101  # the handler is registered for this type only
    return error_response(request, exc)


async def _handle_http_exception(request: Request, exc: Exception) -> ProblemResponse:
    assert isinstance(exc, HTTPException)  # noqa: S101
    status = HTTPStatus(exc.status_code)
    detail = {
        404: f"{request.url.path} does not exist.",
        405: f"{request.method} is not allowed for {request.url.path}.",
    }.get(exc.status_code, str(exc.detail))
    slug = status.phrase.lower().replace(" ", "-")
    return problem_response(request, status, slug, status.phrase, detail, {"headers": exc.headers or {}})


_POINTER_PREFIXES = {"query": "?", "header": "header:", "path": "path:"}


def format_pointer(location: tuple[int | str, ...]) -> str:
    """Format a Pydantic error location: `/provider/name`, `?limit`, `header:if-match`."""
    source, *rest = location
    if source == "body":
        return "/" + "/".join(str(part).replace("~", "~0").replace("/", "~1") for part in rest)
    return _POINTER_PREFIXES.get(str(source), f"{source}:") + ".".join(str(part) for part in rest)


async def _handle_validation_error(request: Request, exc: Exception) -> ProblemResponse:
    assert isinstance(exc, RequestValidationError)  # noqa: S101
    errors = [
        {"pointer": format_pointer(item["loc"]), "detail": item["msg"].removeprefix("Value error, ")}
        for item in islice(exc.errors(), MAX_REPORTED_ERRORS)
    ]
    first = errors[0] if errors else {"pointer": "/", "detail": "The request is malformed."}
    detail = f"{first['pointer']}: {first['detail']}"
    if len(exc.errors()) > 1:
        detail += f" (and {len(exc.errors()) - 1:,} more)"
    return problem_response(request, 422, "invalid-request", "Invalid request", detail, {"errors": errors})


def storage_error(failure: StorageFailure, done: str = "Nothing was changed.") -> AppError:
    """Return the error for a request whose write failed; `done` says what happened nevertheless."""
    if failure is StorageFailure.FULL:
        return StorageFull(f"{done} The disk of the database is full. Free space on it and try again.")
    state = "read-only" if failure is StorageFailure.READ_ONLY else "failing"
    detail = f"{done} The disk of the database is {state}. Check its volume, its permissions and the log."
    return Unavailable(detail, headers={"Retry-After": "30"})


def unhandled_error_response(request: Request, exc: Exception) -> ProblemResponse:
    """Log an unhandled exception and build an opaque 500, or a 503 while the database is unavailable."""
    failure = find_storage_failure(exc)
    if failure is not None:
        log.error("request.storage_failure", path=request.url.path, storage=failure)
        return error_response(request, storage_error(failure))
    if is_database_unavailable(exc):
        log.warning("request.database_unavailable", path=request.url.path, error=type(exc).__name__)
        detail = "The database is unavailable. Try again; an Idempotency-Key makes retries safe."
        return error_response(request, Unavailable(detail, headers={"Retry-After": "2"}))
    log.error("request.unhandled_error", path=request.url.path, exc_info=exc)
    detail = "An internal error occurred. Include the request id when you report it."
    return problem_response(request, 500, "internal-error", "Internal error", detail, {})


async def _handle_unhandled_error(request: Request, exc: Exception) -> ProblemResponse:
    return unhandled_error_response(request, exc)


def install(app: FastAPI) -> None:
    """Register the exception handlers; `app.state.mask` must be set."""
    app.add_exception_handler(AppError, _handle_app_error)
    app.add_exception_handler(HTTPException, _handle_http_exception)
    app.add_exception_handler(RequestValidationError, _handle_validation_error)
    app.add_exception_handler(Exception, _handle_unhandled_error)
