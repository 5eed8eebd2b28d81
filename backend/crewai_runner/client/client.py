"""The client for synchronous code."""

import time
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any, Self

import httpx
from httpx_sse import connect_sse
from tenacity import Retrying

from crewai_runner.client import calls
from crewai_runner.client.calls import Call, ExportFormat, StopMode
from crewai_runner.client.errors import WaitTimeout
from crewai_runner.client.models import Event, Run, StartedRun, Validation, Workflow

POLL_SECONDS = 1.0
STREAM_SILENCE_SECONDS = 30.0
"""The server sends a heartbeat every 10 s; a stream that is silent for longer is dead."""


class Client:
    """Starts and follows runs on a server.

    `url` is the server's address, as in the browser. Calls raise ApiError when the server refuses them, and
    Unreachable when it does not answer five times. Only calls that are safe to repeat are sent again.
    """

    def __init__(
        self, url: str, api_key: str, *, timeout: float = 60.0, transport: httpx.BaseTransport | None = None
    ) -> None:
        self.url, self._timeout = url.rstrip("/"), timeout
        self._http = httpx.Client(
            base_url=f"{self.url}/api/v1",
            headers={"Authorization": f"Bearer {api_key}"},
            timeout=timeout,
            transport=transport,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def start_run(
        self,
        *,
        workflow: str | None = None,
        workflow_id: str | None = None,
        project_id: str | None = None,
        inputs: Mapping[str, Any] | None = None,
        budget: Mapping[str, Any] | None = None,
        metadata: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
    ) -> StartedRun:
        """Start a run of a YAML document, of a stored workflow or of a project: name one of the three.

        `budget` is the API's, such as `{"maxCost": 1}`. Two calls with one `idempotency_key` start one run.
        """
        call = calls.start_run(
            workflow=workflow,
            workflow_id=workflow_id,
            project_id=project_id,
            inputs=inputs or {},
            budget=budget,
            metadata=metadata,
            idempotency_key=idempotency_key,
        )
        return StartedRun.model_validate(self._get_json(call))

    def get_run(self, run_id: str) -> Run:
        return Run.model_validate(self._get_json(calls.get_run(run_id))["run"])

    def stop_run(self, run_id: str, mode: StopMode = "now") -> None:
        """Stop a run: `now`, or `after-step` to let the current model call finish."""
        self._send(calls.stop_run(run_id, mode))

    def wait(self, run_id: str, seconds: float | None = None) -> Run:
        """Return the run once it has finished or waits for a person. Raises WaitTimeout after `seconds`."""
        end = None if seconds is None else time.monotonic() + seconds
        while not ((run := self.get_run(run_id)).is_finished or run.status == "waiting"):
            if end is not None and time.monotonic() >= end:
                raise WaitTimeout(f"The run is still {run.status} after {seconds:g} s; it continues.")
            time.sleep(POLL_SECONDS)
        return run

    def events(self, run_id: str, after: int = 0) -> Iterator[Event]:
        """Yield the events after `after` until the run's last; a lost connection loses and repeats none.

        Live model output comes as `llm.chunk`, and each connection begins with `run.snapshot`.
        """
        failures = 0
        while True:
            try:
                for event in self._read_stream(calls.stream_events(run_id, after)):
                    after, failures = event.seq or after, 0
                    yield event
                if self.get_run(run_id).is_finished:
                    return  # else the server that sent the stream ended
            except (httpx.TransportError, calls.Busy) as error:
                failures += 1
                if failures == calls.ATTEMPTS:
                    raise calls.explain(error, self.url) from None
                time.sleep(min(2.0**failures / 4, calls.MAX_WAIT_SECONDS))

    def validate(self, document: str) -> Validation:
        """Check a workflow document."""
        return Validation.model_validate(self._get_json(calls.validate(document)))

    def find_workflow(self, name: str) -> Workflow | None:
        """Return the workflow with this id, slug or name."""
        found = self._find("/workflows", "workflows", name)
        return None if found is None else Workflow.model_validate(found)

    def find_project(self, name: str) -> str | None:
        """Return the id of the project with this id, slug or name."""
        found = self._find("/projects", "projects", name)
        return None if found is None else str(found["id"])

    def import_workflow(self, document: str, note: str | None = None) -> Workflow:
        """Store a workflow document as a new workflow."""
        return Workflow.model_validate(self._get_json(calls.import_workflow(document, note))["workflow"])

    def export_workflow(self, workflow_id: str, format_: ExportFormat = "yaml") -> bytes:
        """Return a workflow as a document, or with `crewai` as a zip file of CrewAI's two YAML files."""
        return self._send(calls.export_workflow(workflow_id, format_)).content

    def _find(self, path: str, kind: str, name: str) -> dict[str, Any] | None:
        cursor: str | None = ""
        while cursor is not None:
            page = self._get_json(calls.list_page(path, cursor))
            for each in page[kind]:
                if name in (each["id"], each.get("slug"), each["name"]):
                    return dict(each)
            cursor = page["nextCursor"]
        return None

    def _read_stream(self, call: Call) -> Iterator[Event]:
        timeout = httpx.Timeout(self._timeout, read=STREAM_SILENCE_SECONDS)
        with connect_sse(
            self._http, call.method, call.path, params=dict(call.params), timeout=timeout
        ) as source:
            if source.response.is_error:
                source.response.read()
                calls.check(source.response)
            for received in source.iter_sse():
                yield calls.read_event(received)

    def _get_json(self, call: Call) -> dict[str, Any]:
        return calls.read_json(self._send(call))

    def _send(self, call: Call) -> httpx.Response:
        try:
            for attempt in Retrying(**calls.retry_options(call)):
                with attempt:
                    return calls.check(self._http.send(calls.build(self._http, call)))
        except (httpx.HTTPError, calls.Busy) as error:
            raise calls.explain(error, self.url) from None
        raise AssertionError("tenacity raises the last error")
