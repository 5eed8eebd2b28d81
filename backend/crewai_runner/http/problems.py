"""Every failure as an RFC 9457 problem document."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse

from crewai_runner.core.api_model import ApiModel
from crewai_runner.core.errors import AppError, Unavailable
from crewai_runner.core.logging import get_logger
from crewai_runner.db.session import is_database_unavailable

log = get_logger(__name__)
TYPE_BASE = "https://crewai-runner.dev/problems/"


class FieldProblem(ApiModel):
    pointer: str = Field(description="JSON pointer into the body, or `?name` / `header:name` / `path:name`.")
    detail: str


class ProblemDetails(ApiModel):
    """RFC 9457, with further members by type of problem.

    `error` and `message` repeat the detail for clients of the first version.
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


def respond(
    request: HTTPConnection, status: int, slug: str, title: str, detail: str, extra: Mapping[str, Any]
) -> ProblemResponse:
    """Build the problem document; `extra` members are added in camelCase."""
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
    mask = request.app.state.mask
    return ProblemResponse(mask.mask_json(body), status_code=status, headers=headers)


def problems(*errors: type[AppError]) -> dict[int | str, dict[str, Any]]:
    """Declare an endpoint's failures so that generated clients know them."""
    declared: dict[int | str, dict[str, Any]] = {}
    for error in errors:
        known = declared.setdefault(int(error.status), {"description": error.title, "model": ProblemDetails})
        if error.title not in known["description"]:
            known["description"] += f" / {error.title}"
    return declared


async def _app_error(request: Request, exc: Exception) -> ProblemResponse:
    assert isinstance(exc, AppError)  # noqa: S101  # the handler is registered for this type only
    return respond(request, exc.status, exc.slug, exc.title, exc.detail, exc.extra)


async def _http_error(request: Request, exc: Exception) -> ProblemResponse:
    assert isinstance(exc, HTTPException)  # noqa: S101
    status = HTTPStatus(exc.status_code)
    detail = {
        404: f"There is nothing at {request.url.path}.",
        405: f"{request.method} is not possible at {request.url.path}.",
    }.get(exc.status_code, str(exc.detail))
    slug = status.phrase.lower().replace(" ", "-")
    return respond(request, status, slug, status.phrase, detail, {"headers": exc.headers or {}})


_WHERE = {"query": "?", "header": "header:", "path": "path:"}


def pointer(location: tuple[int | str, ...]) -> str:
    """Where in a request a value stands: `/provider/name`, `?limit`, `header:if-match`."""
    place, *rest = location
    if place == "body":
        return "/" + "/".join(str(part).replace("~", "~0").replace("/", "~1") for part in rest)
    return _WHERE.get(str(place), f"{place}:") + ".".join(str(part) for part in rest)


async def _invalid(request: Request, exc: Exception) -> ProblemResponse:
    assert isinstance(exc, RequestValidationError)  # noqa: S101
    errors = [
        {"pointer": pointer(item["loc"]), "detail": item["msg"].removeprefix("Value error, ")}
        for item in exc.errors()
    ]
    first = errors[0] if errors else {"pointer": "/", "detail": "The request cannot be read."}
    detail = f"{first['pointer']}: {first['detail']}"
    if len(errors) > 1:
        detail += f" (and {len(errors) - 1} more)"
    return respond(request, 422, "invalid-request", "Invalid request", detail, {"errors": errors})


def defect(request: Request, exc: Exception) -> ProblemResponse:
    """Log what went wrong and answer with nothing but the request's id; 503 while the database is away."""
    if is_database_unavailable(exc):
        log.warning("request.database_away", path=request.url.path, error=type(exc).__name__)
        detail = "The database does not answer. Ask again; with an Idempotency-Key nothing happens twice."
        extra = {"headers": {"Retry-After": "2"}}
        return respond(request, Unavailable.status, Unavailable.slug, Unavailable.title, detail, extra)
    log.error("request.defect", path=request.url.path, exc_info=exc)
    detail = "Something went wrong on our side. Quote the request id when you report it."
    return respond(request, 500, "internal-error", "Internal error", detail, {})


async def _defect(request: Request, exc: Exception) -> ProblemResponse:
    return defect(request, exc)


def install(app: FastAPI) -> None:
    """Register the handlers; `app.state.mask` must be set."""
    app.add_exception_handler(AppError, _app_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Exception, _defect)
