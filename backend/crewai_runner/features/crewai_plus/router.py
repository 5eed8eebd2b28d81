"""Endpoints that CrewAI's own tools call: grants for traces, their collector, and what the CLI lists."""

import asyncio
from typing import Any

from starlette.responses import Response

from crewai_runner.core.errors import BadRequest
from crewai_runner.features.crewai_plus.deps import (
    PROTOBUF,
    BaseUrl,
    ExternalRuns,
    ProtobufBody,
    Reader,
    Sender,
    Starter,
)
from crewai_runner.features.crewai_plus.errors import (
    EncodingUnknown,
    GrantNotForExecution,
    SpansUnreadable,
    TooManySpans,
)
from crewai_runner.features.crewai_plus.otlp import read_spans
from crewai_runner.features.crewai_plus.schemas import AppList, Grant, GrantRequest, Organization
from crewai_runner.features.runs.errors import RunNotFound
from crewai_runner.features.workspaces.errors import TooManyRuns, WorkspaceStorageFull
from crewai_runner.http.prefixed_router import PrefixedRouter
from crewai_runner.http.problems import problems
from crewai_runner.http.unaudited import unaudited

PREFIX = "/crewai_plus"
router = PrefixedRouter(prefix=PREFIX, tags=["crewai"])

_BINARY: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}


@router.post("/api/v1/tracing/grants", responses=problems(BadRequest, TooManyRuns, WorkspaceStorageFull))
async def create_grant(
    body: GrantRequest, starter: Starter, external_runs: ExternalRuns, base_url: BaseUrl
) -> Grant:
    """Let an execution elsewhere send its spans for an hour; it appears as a run.

    CrewAI requires `https`, except on the same machine.
    """
    return await external_runs.grant(starter, body, base_url)


@router.post(
    "/api/v1/tracing/collector/v1/traces",
    response_class=Response,
    responses=problems(GrantNotForExecution, RunNotFound, EncodingUnknown, TooManySpans, SpansUnreadable)
    | {200: {"description": "Accepted.", "content": {PROTOBUF: _BINARY}}},
    **unaudited(
        "Spans are events of a run; its grant is audited.",
        {"requestBody": {"required": True, "content": {PROTOBUF: _BINARY}}},
    ),
)
async def add_spans(sender: Sender, body: ProtobufBody, external_runs: ExternalRuns) -> Response:
    """Receive spans (OTLP) of the execution whose grant the token is from.

    At most 200 spans and 3,072,000 bytes. Spans may arrive late, out of order and several times.
    """
    spans = await asyncio.to_thread(read_spans, body)
    await external_runs.add_spans(sender, spans)
    return Response(b"", media_type=PROTOBUF)


@router.get("/api/v1/me/organizations")
async def list_organizations(reader: Reader) -> list[Organization]:
    """List the workspaces of the caller, as `crewai org list` shows them."""
    return [Organization(name="CrewAI Runner", uuid=reader.workspace_id)]


@router.get("/api/v1/integrations/apps")
async def list_apps(reader: Reader) -> AppList:  # noqa: ARG001 - a key is required
    """List the apps with triggers, as `crewai triggers list` shows them: there are none."""
    return AppList(apps=[])
