"""One HTTP request of a tool over a connection, with limits, and its failures in words for the model."""

import contextlib
import errno
import json
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import httpx

from crewai_runner.core.answer_limits import MEGABYTE, AnswerLimits
from crewai_runner.core.bounded_json import parse_json
from crewai_runner.core.egress import EgressPolicy, guarded_client
from crewai_runner.core.errors import AppError
from crewai_runner.executor.tools.runner import ToolCallFailed

LIMITS = AnswerLimits(max_bytes=2 * MEGABYTE, max_line_bytes=2 * MEGABYTE)
CONNECT_SECONDS = 10.0
_MAX_QUOTE_LENGTH = 300
_TOO_MANY_REQUESTS = 429
Trace = Callable[[str, Any], Awaitable[None]]


class CredentialsRejected(ToolCallFailed):
    """The service did not accept the credentials of the connection."""


@dataclass(frozen=True, slots=True)
class ServiceRequest:
    """A request to a service. `service` is its name in messages."""

    service: str
    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    params: Mapping[str, str | int] | Sequence[tuple[str, str]] | None = None
    body: object = None
    """Sent as JSON unless it is None."""
    form: Mapping[str, str] | None = None
    """Sent as a form unless it is None."""

    def with_headers(self, headers: Mapping[str, str]) -> "ServiceRequest":
        """Return the request with more headers, which replace those of the same name."""
        names = {name.lower() for name in headers}
        kept = {name: value for name, value in self.headers.items() if name.lower() not in names}
        return replace(self, headers={**kept, **headers})


@dataclass(frozen=True, slots=True)
class ServiceAnswer:
    status: int
    content_type: str
    body: bytes

    def read_json(self, service: str) -> Any:
        """Return the body as JSON. Raises ToolCallFailed."""
        try:
            return parse_json(self.body)
        except ValueError:
            raise ToolCallFailed(f"{service} answered with something that is not JSON.") from None

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")


async def exchange(
    request: ServiceRequest, egress: EgressPolicy, trace: Trace | None = None
) -> ServiceAnswer:
    """Send a request and read the whole answer, whatever its status. Redirects are not followed.

    Raises ToolCallFailed. Cancelling closes the connection.
    """
    policy = replace(egress, limits=LIMITS)
    timeout = httpx.Timeout(None, connect=CONNECT_SECONDS)
    extensions = {} if trace is None else {"trace": trace}
    try:
        async with (
            guarded_client(policy, timeout=timeout) as client,
            client.stream(
                request.method,
                request.url,
                headers={"User-Agent": "crewai-runner", **request.headers},
                params=_list_params(request.params),
                data=request.form,
                json=request.body,
                extensions=extensions,
            ) as response,
        ):
            body = await response.aread()
    except (httpx.HTTPError, httpx.InvalidURL, AppError) as error:
        raise ToolCallFailed(describe_failure(request.service, error)) from error
    return ServiceAnswer(response.status_code, response.headers.get("content-type", ""), body)


def _list_params(
    params: Mapping[str, str | int] | Sequence[tuple[str, str]] | None,
) -> httpx.QueryParams | None:
    if params is None or isinstance(params, Mapping):
        return None if params is None else httpx.QueryParams(dict(params))
    return httpx.QueryParams(list(params))


async def ask_service(
    request: ServiceRequest, egress: EgressPolicy, trace: Trace | None = None
) -> ServiceAnswer:
    """`exchange` for a request that must succeed. Raises CredentialsRejected, ToolCallFailed."""
    answer = await exchange(request, egress, trace)
    check_status(request.service, answer)
    return answer


def check_status(service: str, answer: ServiceAnswer) -> None:
    """Raise ToolCallFailed, or CredentialsRejected, unless the answer is a success."""
    status, quote = answer.status, _quote(answer)
    if httpx.codes.is_success(status):
        return
    if status in (401, 403):
        raise CredentialsRejected(
            f"{service} rejected the credentials of the connection (HTTP {status}).{quote}"
        )
    if status == _TOO_MANY_REQUESTS:
        raise ToolCallFailed(
            f"{service} accepts no more requests for now (HTTP 429): wait, or go on without it.{quote}"
        )
    raise ToolCallFailed(f"{service} answered with HTTP {status}.{quote}")


def describe_failure(service: str, error: Exception) -> str:
    """Say why a request had no answer."""
    if isinstance(error, AppError):
        return error.detail
    codes = {cause.errno for cause in _list_causes(error) if isinstance(cause, OSError)}
    if any(isinstance(cause, ssl.SSLError) for cause in _list_causes(error)):
        return f"The TLS connection to {service} failed."
    if errno.ECONNREFUSED in codes:
        return f"{service} refused the connection."
    if isinstance(error, httpx.TimeoutException):
        return f"{service} could not be reached in time."
    return f"{service} did not answer: {str(error) or type(error).__name__}"


def _list_causes(error: BaseException | None) -> list[BaseException]:
    causes: list[BaseException] = []
    while error is not None and error not in causes:
        causes.append(error)
        error = error.__cause__ or error.__context__
    return causes


def _quote(answer: ServiceAnswer) -> str:
    """Return the message in an error answer, or the beginning of its text."""
    text = answer.text
    if "json" in answer.content_type:
        with contextlib.suppress(ValueError, RecursionError):
            text = _find_message(json.loads(answer.body)) or text
    elif "html" in answer.content_type:
        return ""
    text = " ".join(text[:_MAX_QUOTE_LENGTH].split())
    return f" It says: {text}" if text else ""


def _find_message(value: object) -> str | None:
    if isinstance(value, str):
        return value
    if not isinstance(value, dict):
        return None
    found = (_find_message(value.get(name)) for name in ("message", "error", "detail", "description"))
    return next((text for text in found if text), None)
