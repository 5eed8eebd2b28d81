"""Endpoints for the events of a run: as a page, as server-sent events and over a WebSocket."""

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Annotated

from fastapi import Query, WebSocket, WebSocketDisconnect
from starlette.responses import Response, StreamingResponse

from crewai_runner.core.paging import MAX_LIMIT
from crewai_runner.core.principal import Scope
from crewai_runner.features.auth.deps import Requires
from crewai_runner.features.events.deps import MAX_SEQ, After, EventList, EventStream, Reader
from crewai_runner.features.events.frames import Frame
from crewai_runner.features.events.schemas import EventPage
from crewai_runner.features.runs.errors import RunNotFound
from crewai_runner.http.prefixed_router import PrefixedRouter
from crewai_runner.http.problems import problems

router = PrefixedRouter(prefix="/runs", tags=["events"])
STREAM_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
SUBPROTOCOL = "crewai-runner"


@router.get("/{run_id}/events", response_model=EventPage, responses=problems(RunNotFound))
async def list_events(
    run_id: str,
    reader: Reader,
    events: EventList,
    after: After,
    limit: Annotated[int, Query(ge=1, le=1000, description="Maximum number of events.")] = MAX_LIMIT,
) -> Response:
    """List stored events of a run in order, for clients that do not stream."""
    page = await events.list_page(reader, run_id, after, limit)
    return Response(page, media_type="application/json")


@router.get(
    "/{run_id}/stream",
    response_class=StreamingResponse,
    responses=problems(RunNotFound)
    | {200: {"description": "Server-sent events", "content": {"text/event-stream": {}}}},
)
async def stream_events(run_id: str, reader: Reader, stream: EventStream, after: After) -> StreamingResponse:
    """Stream the events of a run as server-sent events.

    The first event is `run.snapshot`. Then every event after `Last-Event-ID` (or `?after=`) follows with
    `id: <seq>`, live model output as `llm.chunk` without an id, and a comment as a heartbeat. After a
    disconnect, reconnect with `Last-Event-ID`: no event is missed or repeated. The server ends the stream
    after the run's last event.
    """
    await stream.check_access(reader, run_id)
    frames = _encode(stream.open_batches(reader, run_id, after))
    return StreamingResponse(frames, media_type="text/event-stream", headers=STREAM_HEADERS)


async def _encode(batches: AsyncGenerator[Sequence[Frame], None]) -> AsyncIterator[bytes]:
    async with contextlib.aclosing(batches):
        async for frames in batches:
            yield b"".join([frame.sse for frame in frames]) or b": heartbeat\n\n"


@router.websocket("/{run_id}/ws")
async def stream_events_over_websocket(
    websocket: WebSocket, run_id: str, stream: EventStream, after: int = 0
) -> None:
    """Stream the same events as `/stream`, one JSON text message each.

    The client sends nothing; the server closes the connection after the run's last event.
    """
    reader = await Requires(Scope.RUNS_READ)(websocket)
    try:
        await stream.check_access(reader, run_id)
    except RunNotFound:
        await websocket.close(4404, "run not found")
        return
    offered = websocket.scope.get("subprotocols", [])
    await websocket.accept(subprotocol=SUBPROTOCOL if SUBPROTOCOL in offered else None)
    with contextlib.suppress(WebSocketDisconnect):
        async for frame in stream.open(reader, run_id, min(max(after, 0), MAX_SEQ)):
            await websocket.send_text('{"type":"ping"}' if frame is None else frame.text)
        await websocket.close()
