"""What a crew host works on, as its worker sees it."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from typing import Any, Protocol

from crewai_runner.core.logging import get_logger
from crewai_runner.domain.run import RunFailure, StopMode
from crewai_runner.domain.run_events import RUN_EVENT
from crewai_runner.executor.attempt_loss import AttemptLost, LossReason
from crewai_runner.executor.hosts.frames import FrameKind
from crewai_runner.executor.hosts.messages import (
    COMPLETION,
    CONNECTION,
    EMBEDDINGS,
    FAILURE,
    MEMORY_CHANGES,
    TOOL_MESSAGE,
    SpendingRequest,
    StopRequest,
    ToolAnswer,
    ToolCallMessage,
    decode_file,
    decode_outcome,
    encode_request,
)
from crewai_runner.executor.port import (
    EventSink,
    ModelCallFailed,
    ModelCompletion,
    Outcome,
    ReplacingText,
    RunControl,
    UserMessage,
)

log = get_logger(__name__)
CANCEL_SECONDS = 2.0
SendFrame = Callable[[FrameKind, bytes], None]
"""Sends a frame about one piece of work; call it in the event loop."""


class HostWork(Protocol):
    """An attempt or a model call in a host."""

    def on_frame(self, kind: FrameKind, payload: bytes) -> None: ...

    def lose(self, reason: LossReason) -> None:
        """The host is gone."""


class HostedAttempt:
    """An attempt in a host. Receives the requests of its `RunControl`, from any thread."""

    def __init__(self, sink: EventSink, control: RunControl, send: SendFrame) -> None:
        self._loop = asyncio.get_running_loop()
        self._loop_thread = threading.get_ident()
        self._sink, self._control, self._send = sink, control, send
        self._flushes: set[asyncio.Task[None]] = set()
        self._last_event: str | None = None
        self.outcome: asyncio.Future[Outcome] = self._loop.create_future()
        self._ended: asyncio.Future[None] = self._loop.create_future()

    async def cancel(self) -> None:
        """End the attempt at once; wait until it has emitted its last event, but not for long."""
        self._send(FrameKind.CANCEL, b"")
        await asyncio.wait([self._ended], timeout=CANCEL_SECONDS)

    # RequestReceiver

    def stop(self, mode: StopMode, age_seconds: float) -> None:
        self._send_soon(FrameKind.STOP, encode_request(StopRequest(mode, age_seconds)))

    def send_message(self, message: UserMessage) -> None:
        self._send_soon(FrameKind.MESSAGE, encode_request(message))

    def limit_spending(self, refusal: RunFailure | None) -> None:
        self._send_soon(FrameKind.SPENDING, encode_request(SpendingRequest(refusal)))

    def _send_soon(self, kind: FrameKind, payload: bytes) -> None:
        if threading.get_ident() == self._loop_thread:
            self._send(kind, payload)
        elif not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._send, kind, payload)

    # HostWork

    def on_frame(self, kind: FrameKind, payload: bytes) -> None:
        match kind:
            case FrameKind.EVENT:
                event = RUN_EVENT.validate_json(payload)
                self._last_event = event.type
                self._sink(event)
            case FrameKind.CONNECTION:
                self._control.note_connection(CONNECTION.validate_json(payload))
            case FrameKind.TOOL_REQUEST:
                self._pass_on(TOOL_MESSAGE.validate_json(payload))
            case FrameKind.FLUSH:
                flush = asyncio.create_task(self._store())
                self._flushes.add(flush)
                flush.add_done_callback(self._flushes.discard)
            case FrameKind.MEMORIES:
                self._control.store_memories(MEMORY_CHANGES.validate_json(payload))
            case FrameKind.FILE:
                self._control.store_file(decode_file(payload))
            case FrameKind.OUTCOME:
                self._end(lambda: self.outcome.set_result(decode_outcome(payload)))
            case FrameKind.ERROR:
                error = RuntimeError(f"the executor failed in its host: {payload.decode()}")
                self._end(lambda: self.outcome.set_exception(error))
            case FrameKind.CANCELLED:
                self._end(self.outcome.cancel)

    def lose(self, reason: LossReason) -> None:
        self._end(lambda: self.outcome.set_exception(AttemptLost(reason, self._last_event)))

    def _pass_on(self, message: ToolCallMessage) -> None:
        """Ask for a call of a tool, or store its result, and send the answer."""
        number, control = message.number, self._control

        def answer(future: Future[Any]) -> None:
            failed = future.cancelled() or future.exception() is not None
            decision = None if failed or message.request is None else future.result()
            self._send_soon(FrameKind.TOOL_ANSWER, encode_request(ToolAnswer(number, decision, failed)))

        if message.request is not None:
            control.ask_for_tool(message.request).add_done_callback(answer)
        elif message.result is not None:
            control.save_tool_result(message.result).add_done_callback(answer)

    async def _store(self) -> None:
        await self._control.wait_until_stored()
        self._send(FrameKind.STORED, b"")

    def _end(self, resolve: Callable[[], object]) -> None:
        if not self.outcome.done():
            resolve()
        if not self._ended.done():
            self._ended.set_result(None)


class HostedCall:
    """A model call in a host, outside a crew."""

    def __init__(self, send: SendFrame, on_text: Callable[[str], Awaitable[None]] | None) -> None:
        self._send, self._on_text = send, on_text
        self._pieces: asyncio.Queue[str | None] = asyncio.Queue()
        self._result: asyncio.Future[ModelCompletion] = asyncio.get_running_loop().create_future()

    async def completion(self) -> ModelCompletion:
        """Pass the pieces of the answer on and return all of it. Raises ModelCallFailed, AttemptLost."""
        try:
            while (piece := await self._pieces.get()) is not None:
                if self._on_text is not None:
                    await self._on_text(piece)
            return await self._result
        except BaseException:
            self._send(FrameKind.CANCEL, b"")
            raise

    def on_frame(self, kind: FrameKind, payload: bytes) -> None:
        match kind:
            case FrameKind.TEXT:
                self._pieces.put_nowait(payload.decode())
            case FrameKind.REPLACING_TEXT:
                self._pieces.put_nowait(ReplacingText(payload.decode()))
            case FrameKind.COMPLETION:
                self._end(COMPLETION.validate_json(payload))
            case FrameKind.CALL_FAILED:
                self._end(ModelCallFailed(FAILURE.validate_json(payload)))
            case FrameKind.ERROR:
                self._end(RuntimeError(f"the model call failed in its host: {payload.decode()}"))

    def lose(self, reason: LossReason) -> None:
        self._end(AttemptLost(reason))

    def _end(self, result: ModelCompletion | Exception) -> None:
        if not self._result.done():
            if isinstance(result, Exception):
                self._result.set_exception(result)
            else:
                self._result.set_result(result)
        self._pieces.put_nowait(None)


class HostedEmbedding:
    """The embedding of texts in a host, outside a crew."""

    def __init__(self, send: SendFrame) -> None:
        self._send = send
        self._result: asyncio.Future[list[list[float]]] = asyncio.get_running_loop().create_future()

    async def vectors(self) -> list[list[float]]:
        """Return the vectors. Raises ModelCallFailed, AttemptLost."""
        try:
            return await self._result
        except asyncio.CancelledError:
            self._send(FrameKind.CANCEL, b"")
            raise

    def on_frame(self, kind: FrameKind, payload: bytes) -> None:
        match kind:
            case FrameKind.EMBEDDINGS:
                self._end(EMBEDDINGS.validate_json(payload))
            case FrameKind.CALL_FAILED:
                self._end(ModelCallFailed(FAILURE.validate_json(payload)))
            case FrameKind.ERROR:
                self._end(RuntimeError(f"the embedding failed in its host: {payload.decode()}"))

    def lose(self, reason: LossReason) -> None:
        self._end(AttemptLost(reason))

    def _end(self, result: list[list[float]] | Exception) -> None:
        if self._result.done():
            return
        if isinstance(result, Exception):
            self._result.set_exception(result)
        else:
            self._result.set_result(result)
