"""A run's story: as a page, as server-sent events, over a WebSocket."""

import contextlib
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Query, WebSocket, WebSocketDisconnect
from starlette.responses import StreamingResponse

from crewai_runner.core.paging import MAX_LIMIT
from crewai_runner.core.principal import Principal, Scope
from crewai_runner.features.auth.deps import Requires
from crewai_runner.features.events.deps import MAX_SEQ, After, Events, Follow, Reader
from crewai_runner.features.events.schemas import EventPage
from crewai_runner.features.events.service import Follower, Frame
from crewai_runner.features.runs.errors import RunNotFound
from crewai_runner.http.problems import problems

router = APIRouter(prefix="/runs", tags=["events"])
STREAM_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
SUBPROTOCOL = "crewai-runner"


@router.get("/{run_id}/events", responses=problems(RunNotFound))
async def list_events(
    run_id: str,
    reader: Reader,
    events: Events,
    after: After,
    limit: Annotated[int, Query(ge=1, le=1000, description="How many at most.")] = MAX_LIMIT,
) -> EventPage:
    """Stored events of a run in order, for clients without streaming."""
    return await events.page(reader, run_id, after, limit)


@router.get(
    "/{run_id}/stream",
    response_class=StreamingResponse,
    responses=problems(RunNotFound)
    | {200: {"description": "Server-sent events", "content": {"text/event-stream": {}}}},
)
async def stream_events(run_id: str, reader: Reader, follower: Follow, after: After) -> StreamingResponse:
    """Follow a run as server-sent events.

    The first frame is `run.snapshot`; then every event after `Last-Event-ID` (or `?after=`) with
    `id: <seq>`, live token text as `llm.chunk` without an id, and a comment as a heartbeat.
    Reconnect with `Last-Event-ID` and nothing is missed or repeated. The server ends the stream
    after the run's last event.
    """
    await follower.check(reader, run_id)
    frames = _sse(follower.follow(reader, run_id, after))
    return StreamingResponse(frames, media_type="text/event-stream", headers=STREAM_HEADERS)


async def _sse(frames: AsyncIterator[Frame | None]) -> AsyncIterator[bytes]:
    async for frame in frames:
        yield b": still here\n\n" if frame is None else encode(frame)


def encode(frame: Frame) -> bytes:
    """One server-sent event; the JSON text has no line breaks."""
    number = "" if frame.seq is None else f"id: {frame.seq}\n"
    return f"{number}event: {frame.type}\ndata: {frame.text}\n\n".encode()


@router.websocket("/{run_id}/ws")
async def follow_over_websocket(websocket: WebSocket, run_id: str, follower: Follow, after: int = 0) -> None:
    """The same frames as the stream, one JSON text each. Send nothing; the server closes at the end."""
    reader = await Requires(Scope.RUNS_READ)(websocket)
    try:
        await follower.check(reader, run_id)
    except RunNotFound:
        await websocket.close(4404, "run not found")
        return
    offered = websocket.scope.get("subprotocols", [])
    await websocket.accept(subprotocol=SUBPROTOCOL if SUBPROTOCOL in offered else None)
    with contextlib.suppress(WebSocketDisconnect):
        await _send_frames(websocket, follower, reader, run_id, after)


async def _send_frames(
    websocket: WebSocket, follower: Follower, reader: Principal, run_id: str, after: int
) -> None:
    async for frame in follower.follow(reader, run_id, min(max(after, 0), MAX_SEQ)):
        await websocket.send_text('{"type":"ping"}' if frame is None else frame.text)
    await websocket.close()
