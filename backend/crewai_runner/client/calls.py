"""The requests of the client, without their transport, and how their answers are read."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import httpx
from httpx_sse import ServerSentEvent
from tenacity import RetryCallState, retry_base, stop_after_attempt
from tenacity.wait import wait_base, wait_random_exponential

from crewai_runner.client.errors import ApiError, ClientError, Unreachable
from crewai_runner.client.models import Event

ATTEMPTS = 5
MAX_WAIT_SECONDS = 30.0
PAGE = 200
_BUSY = frozenset({429, 502, 503, 504})
StopMode = Literal["now", "after-step"]
ExportFormat = Literal["yaml", "json", "crewai"]


@dataclass(frozen=True, slots=True)
class Call:
    """A request. One that may safely be sent twice is retried."""

    method: str
    path: str
    params: Mapping[str, str | int] = field(default_factory=dict)
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    is_safe: bool = True


class Busy(ClientError):
    """The server, or a proxy before it, asks to come back later."""

    def __init__(self, error: ApiError, seconds: float | None) -> None:
        super().__init__(str(error))
        self.error, self.seconds = error, seconds


def start_run(
    *,
    workflow: str | None,
    workflow_id: str | None,
    project_id: str | None,
    inputs: Mapping[str, Any],
    budget: Mapping[str, Any] | None,
    metadata: Mapping[str, str] | None,
    idempotency_key: str | None,
) -> Call:
    """Build the start of a run. Its key makes it safe to send twice: the server starts one run."""
    given = {
        "workflow": workflow,
        "workflowId": workflow_id,
        "projectId": project_id,
        "inputs": dict(inputs),
        "budget": budget,
        "metadata": metadata,
    }
    body = {name: value for name, value in given.items() if value is not None}
    headers = {"Idempotency-Key": idempotency_key or uuid.uuid4().hex}
    return Call("POST", "/runs", body=body, headers=headers)


def get_run(run_id: str) -> Call:
    return Call("GET", f"/runs/{run_id}")


def stop_run(run_id: str, mode: StopMode) -> Call:
    return Call("POST", f"/runs/{run_id}/stop", body={"mode": mode}, is_safe=False)


def validate(document: str) -> Call:
    return Call("POST", "/yaml/validate", body={"yamlContent": document})


def list_page(path: str, cursor: str) -> Call:
    return Call("GET", path, {"limit": PAGE, **({"cursor": cursor} if cursor else {})})


def import_workflow(document: str, note: str | None) -> Call:
    body = {"yaml": document} | ({} if note is None else {"note": note})
    return Call("POST", "/workflows/import", body=body, headers={"Idempotency-Key": uuid.uuid4().hex})


def export_workflow(workflow_id: str, format_: ExportFormat) -> Call:
    return Call("GET", f"/workflows/{workflow_id}/export", {"format": format_})


def stream_events(run_id: str, after: int) -> Call:
    return Call("GET", f"/runs/{run_id}/stream", {"after": after})


def build(client: httpx.Client | httpx.AsyncClient, call: Call) -> httpx.Request:
    content = None if call.body is None else json.dumps(call.body)
    headers = dict(call.headers) | ({} if content is None else {"Content-Type": "application/json"})
    return client.build_request(
        call.method, call.path, params=dict(call.params), content=content, headers=headers
    )


def check(response: httpx.Response) -> httpx.Response:
    """Return a response that is no error; its body must have been read. Raises ApiError, Busy."""
    if not response.is_error:
        return response
    try:
        problem = response.json()
    except ValueError:
        problem = {"title": f"{response.request.url.host} answered {response.status_code}."}
    error = ApiError(response.status_code, problem if isinstance(problem, dict) else {})
    if response.status_code in _BUSY:
        raise Busy(error, _read_seconds(response.headers.get("Retry-After")))
    raise error


def read_json(response: httpx.Response) -> dict[str, Any]:
    """Raises ClientError if the answer is not the API's."""
    try:
        answer = response.json()
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise ClientError(
            f"{response.request.url.host} is not a CrewAI Runner: its answer is no JSON object."
        )
    return answer


def read_event(received: ServerSentEvent) -> Event:
    return Event.model_validate_json(received.data)


def explain(error: Exception, url: str) -> ClientError:
    """Return what a caller sees of the last error of a call."""
    if isinstance(error, Busy):
        return error.error
    if isinstance(error, httpx.HTTPError):
        return Unreachable(f"{url} cannot be reached: {error or type(error).__name__}")
    return error if isinstance(error, ClientError) else ClientError(str(error))


class RetrySafeCalls(retry_base):
    """Retries after a lost connection, and when the server is busy; only calls that are safe to repeat."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def __call__(self, state: RetryCallState) -> bool:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, Busy):
            return True  # it was refused before anything happened
        return self._call.is_safe and isinstance(error, httpx.TransportError)


class WaitAsAsked(wait_base):
    """Waits as long as `Retry-After` says, else a random time that doubles."""

    def __init__(self) -> None:
        self._backoff = wait_random_exponential(multiplier=0.25, max=MAX_WAIT_SECONDS)

    def __call__(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, Busy) and error.seconds is not None:
            return min(error.seconds, MAX_WAIT_SECONDS)
        return self._backoff(state)


def retry_options(call: Call) -> dict[str, Any]:
    """The arguments of tenacity's `Retrying` and `AsyncRetrying` for a call."""
    return {
        "retry": RetrySafeCalls(call),
        "wait": WaitAsAsked(),
        "stop": stop_after_attempt(ATTEMPTS),
        "reraise": True,
    }


def _read_seconds(text: str | None) -> float | None:
    """Return the seconds of `Retry-After`; a date is as good as nothing."""
    return float(text) if text is not None and text.isdecimal() else None
