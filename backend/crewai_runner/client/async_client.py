"""The client for asynchronous code; see `client.py` for what its methods do."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from types import TracebackType
from typing import Any, Self

import httpx
from httpx_sse import aconnect_sse
from tenacity import AsyncRetrying

from crewai_runner.client import calls
from crewai_runner.client.calls import Call, ExportFormat, StopMode
from crewai_runner.client.client import POLL_SECONDS, STREAM_SILENCE_SECONDS
from crewai_runner.client.errors import WaitTimeout
from crewai_runner.client.models import Event, Run, StartedRun, Validation, Workflow


class AsyncClient:
    """Starts and follows runs on a server, like `Client`."""

    def __init__(
        self,
        url: str,
        api_key: str,
        *,
        timeout: float = 60.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.url, self._timeout = url.rstrip("/"), timeout
        self._http = httpx.AsyncClient(
            base_url=f"{self.url}/api/v1",
            headers={"Authorization": f"Bearer {api_key}"},
            timeout=timeout,
            transport=transport,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        await self._http.aclose()

    async def start_run(
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
        """Start a run of a YAML document, of a stored workflow or of a project: name one of the three."""
        call = calls.start_run(
            workflow=workflow,
            workflow_id=workflow_id,
            project_id=project_id,
            inputs=inputs or {},
            budget=budget,
            metadata=metadata,
            idempotency_key=idempotency_key,
        )
        return StartedRun.model_validate(await self._get_json(call))

    async def get_run(self, run_id: str) -> Run:
        return Run.model_validate((await self._get_json(calls.get_run(run_id)))["run"])

    async def stop_run(self, run_id: str, mode: StopMode = "now") -> None:
        """Stop a run: `now`, or `after-step` to let the current model call finish."""
        await self._send(calls.stop_run(run_id, mode))

    async def wait(self, run_id: str, seconds: float | None = None) -> Run:
        """Return the run once it has finished or waits for a person. Raises WaitTimeout after `seconds`."""
        end = None if seconds is None else time.monotonic() + seconds
        while not ((run := await self.get_run(run_id)).is_finished or run.status == "waiting"):
            if end is not None and time.monotonic() >= end:
                raise WaitTimeout(f"The run is still {run.status} after {seconds:g} s; it continues.")
            await asyncio.sleep(POLL_SECONDS)
        return run

    async def events(self, run_id: str, after: int = 0) -> AsyncIterator[Event]:
        """Yield the events after `after` until the run's last; a lost connection loses and repeats none.

        Live model output comes as `llm.chunk`, and each connection begins with `run.snapshot`.
        """
        failures = 0
        while True:
            try:
                async for event in self._read_stream(calls.stream_events(run_id, after)):
                    after, failures = event.seq or after, 0
                    yield event
                if (await self.get_run(run_id)).is_finished:
                    return  # else the server that sent the stream ended
            except (httpx.TransportError, calls.Busy) as error:
                failures += 1
                if failures == calls.ATTEMPTS:
                    raise calls.explain(error, self.url) from None
                await asyncio.sleep(min(2.0**failures / 4, calls.MAX_WAIT_SECONDS))

    async def validate(self, document: str) -> Validation:
        """Check a workflow document."""
        return Validation.model_validate(await self._get_json(calls.validate(document)))

    async def find_workflow(self, name: str) -> Workflow | None:
        """Return the workflow with this id, slug or name."""
        found = await self._find("/workflows", "workflows", name)
        return None if found is None else Workflow.model_validate(found)

    async def find_project(self, name: str) -> str | None:
        """Return the id of the project with this id, slug or name."""
        found = await self._find("/projects", "projects", name)
        return None if found is None else str(found["id"])

    async def import_workflow(self, document: str, note: str | None = None) -> Workflow:
        """Store a workflow document as a new workflow."""
        return Workflow.model_validate(
            (await self._get_json(calls.import_workflow(document, note)))["workflow"]
        )

    async def export_workflow(self, workflow_id: str, format_: ExportFormat = "yaml") -> bytes:
        """Return a workflow as a document, or with `crewai` as a zip file of CrewAI's two YAML files."""
        return (await self._send(calls.export_workflow(workflow_id, format_))).content

    async def _find(self, path: str, kind: str, name: str) -> dict[str, Any] | None:
        cursor: str | None = ""
        while cursor is not None:
            page = await self._get_json(calls.list_page(path, cursor))
            for each in page[kind]:
                if name in (each["id"], each.get("slug"), each["name"]):
                    return dict(each)
            cursor = page["nextCursor"]
        return None

    async def _read_stream(self, call: Call) -> AsyncIterator[Event]:
        timeout = httpx.Timeout(self._timeout, read=STREAM_SILENCE_SECONDS)
        async with aconnect_sse(
            self._http, call.method, call.path, params=dict(call.params), timeout=timeout
        ) as source:
            if source.response.is_error:
                await source.response.aread()
                calls.check(source.response)
            async for received in source.aiter_sse():
                yield calls.read_event(received)

    async def _get_json(self, call: Call) -> dict[str, Any]:
        return calls.read_json(await self._send(call))

    async def _send(self, call: Call) -> httpx.Response:
        try:
            async for attempt in AsyncRetrying(**calls.retry_options(call)):
                with attempt:
                    return calls.check(await self._http.send(calls.build(self._http, call)))
        except (httpx.HTTPError, calls.Busy) as error:
            raise calls.explain(error, self.url) from None
        raise AssertionError("tenacity raises the last error")
