"""The process of a crew host: executes attempts and model calls for its worker, and nothing else."""

import asyncio
import itertools
import os
import socket
import threading
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any

from crewai_runner.core.keyring import secret_parts
from crewai_runner.core.logging import configure_logging, get_logger
from crewai_runner.core.secret_mask import SecretMask
from crewai_runner.domain.run_connection import RunConnection
from crewai_runner.domain.run_events import RUN_EVENT, RunEvent
from crewai_runner.executor.crew.executor import CrewExecutor
from crewai_runner.executor.hosts import process_setup
from crewai_runner.executor.hosts.frames import FrameConnection, FrameKind, Outbox
from crewai_runner.executor.hosts.host_config import HostConfig
from crewai_runner.executor.hosts.messages import (
    COMPLETION,
    CONNECTION,
    EMBEDDINGS,
    FAILURE,
    MEMORY_CHANGES,
    STATUS,
    TOOL_MESSAGE,
    CompleteRequest,
    EmbedRequest,
    SpendingRequest,
    StopRequest,
    ToolAnswer,
    ToolCallMessage,
    decode_request,
    encode_file,
    encode_outcome,
)
from crewai_runner.executor.memory_records import StoreMemories
from crewai_runner.executor.port import (
    ModelBinding,
    ModelCallFailed,
    ReplacingText,
    RunControl,
    RunSpec,
    UserMessage,
)
from crewai_runner.executor.run_files import StoreFile
from crewai_runner.executor.tool_requests import ToolRequest, ToolResult

log = get_logger(__name__)
CHECK_SECONDS = 1.0


def run_host(channel: socket.socket, config: HostConfig) -> None:
    """Serve the worker at the other end of `channel` until it closes it. Does not return."""
    process_setup.die_with_parent()
    process_setup.ignore_stop_signals()
    process_setup.remove_settings_from_environment()
    mask = SecretMask()
    configure_logging(config.log_level, config.log_format, mask)
    try:
        asyncio.run(_CrewHostServer(config, mask).serve(channel))
    finally:
        # Threads of steps that cannot be interrupted must not keep the process.
        os._exit(0)


class _CrewHostServer:
    def __init__(self, config: HostConfig, mask: SecretMask) -> None:
        self._config, self._mask = config, mask
        self._executor = CrewExecutor(
            config.data_dir,
            egress=config.egress,
            tool_egress=config.tool_egress,
            starts_at_once=1,
            mcp_commands=config.mcp_commands,
        )
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._controls: dict[int, _HostedControl] = {}
        self._silent_checks = 0

    async def serve(self, channel: socket.socket) -> None:
        channel.setblocking(False)
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_unix_connection(
            lambda: FrameConnection(self._on_frame), sock=channel
        )
        self._outbox = Outbox(connection)
        loading = asyncio.create_task(self._load(), name="load-engine")
        await self._wait_for_worker(connection)
        loading.cancel()

    async def _wait_for_worker(self, connection: FrameConnection) -> None:
        """Return when the worker has closed the connection or has been silent for too long."""
        limit = self._config.worker_timeout_seconds
        while not connection.closed.done():
            await asyncio.wait([connection.closed], timeout=CHECK_SECONDS)
            # Counted, not timed: a pause of the whole machine is no silence.
            self._silent_checks += 1
            if limit is not None and self._silent_checks * CHECK_SECONDS > limit:
                log.error("crew_host.worker_silent", seconds=limit)
                return

    async def _load(self) -> None:
        await self._executor.load()
        self._outbox.add(FrameKind.READY, 0, STATUS.dump_json(self._executor.status()))

    def _on_frame(self, kind: FrameKind, number: int, payload: bytes) -> None:
        self._silent_checks = 0
        match kind:
            case FrameKind.EXECUTE:
                spec = decode_request(payload)
                secrets = spec.models.values()
                self._controls[number] = _HostedControl(
                    lambda: self._outbox.add(FrameKind.FLUSH, number),
                    lambda changes: self._outbox.add(
                        FrameKind.MEMORIES, number, MEMORY_CHANGES.dump_json(list(changes))
                    ),
                    lambda file: self._outbox.add(FrameKind.FILE, number, encode_file(file)),
                )
                self._start(number, self._execute(number, spec), secrets)
            case FrameKind.COMPLETE:
                request = decode_request(payload)
                self._start(number, self._complete(number, request), [request.model])
            case FrameKind.EMBED:
                embedding = decode_request(payload)
                self._start(number, self._embed(number, embedding), [embedding.model])
            case FrameKind.CANCEL if number in self._tasks:
                self._tasks[number].cancel()
            case (
                FrameKind.STOP
                | FrameKind.MESSAGE
                | FrameKind.SPENDING
                | FrameKind.STORED
                | FrameKind.TOOL_ANSWER
            ):
                if number in self._controls:
                    self._controls[number].apply(kind, payload)
            case FrameKind.PING:
                self._outbox.add(FrameKind.PONG, 0, str(process_setup.resident_megabytes()).encode())

    def _start(self, number: int, work: Coroutine[Any, Any, None], models: Any) -> None:
        bindings: list[ModelBinding] = list(models)
        self._mask.hold("", f"work:{number}", secret_parts(*(model.api_key for model in bindings)))
        task = asyncio.create_task(self._answer_errors(number, work), name=f"work-{number}")
        self._tasks[number] = task
        task.add_done_callback(lambda _task: self._forget(number))

    def _forget(self, number: int) -> None:
        self._mask.release("", f"work:{number}")
        self._tasks.pop(number, None)
        if (control := self._controls.pop(number, None)) is not None:
            control.release_waiting()

    async def _answer_errors(self, number: int, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except asyncio.CancelledError:
            self._outbox.add(FrameKind.CANCELLED, number)
        except ModelCallFailed as error:
            self._outbox.add(FrameKind.CALL_FAILED, number, FAILURE.dump_json(error.failure))
        except Exception as error:
            log.exception("crew_host.work_failed")
            self._outbox.add(FrameKind.ERROR, number, type(error).__name__.encode())

    async def _execute(self, number: int, spec: RunSpec) -> None:
        def emit(event: RunEvent) -> None:
            self._outbox.add(FrameKind.EVENT, number, RUN_EVENT.dump_json(event))

        def note(connection: RunConnection) -> None:
            self._outbox.add(FrameKind.CONNECTION, number, CONNECTION.dump_json(connection))

        control = self._controls[number].control
        control.on_connection = note
        self._controls[number].send_tool_message = lambda payload: self._outbox.add(
            FrameKind.TOOL_REQUEST, number, payload
        )
        outcome = await self._executor.execute(spec, emit, control)
        self._outbox.add(FrameKind.OUTCOME, number, encode_outcome(outcome))

    async def _complete(self, number: int, request: CompleteRequest) -> None:
        async def on_text(text: str) -> None:
            kind = FrameKind.REPLACING_TEXT if isinstance(text, ReplacingText) else FrameKind.TEXT
            self._outbox.add(kind, number, text.encode("utf-8", "replace"))

        completion = await self._executor.complete(
            request.model, request.messages, on_text if request.streams else None
        )
        self._outbox.add(FrameKind.COMPLETION, number, COMPLETION.dump_json(completion))

    async def _embed(self, number: int, request: EmbedRequest) -> None:
        vectors = await self._executor.embed(request.model, request.texts)
        self._outbox.add(FrameKind.EMBEDDINGS, number, EMBEDDINGS.dump_json(vectors))


class _HostedControl:
    """The control of an attempt in a host: requests arrive as frames, and storing is asked for by frames."""

    def __init__(
        self, send_flush: Callable[[], None], store_memories: StoreMemories, store_file: StoreFile
    ) -> None:
        self._send_flush = send_flush
        self._lock = threading.Lock()
        self._waiting: deque[Future[None]] = deque()
        self.control = RunControl(self._flush, store_memories, store_file)
        self.control.ask = lambda request: self._send_message(request=request)
        self.control.save = lambda result: self._send_message(result=result)
        self.send_tool_message: Callable[[bytes], None] = lambda _payload: None
        self._answers: dict[int, Future[Any]] = {}
        self._numbers = itertools.count(1)

    def _send_message(
        self, *, request: ToolRequest | None = None, result: ToolResult | None = None
    ) -> Future[Any]:
        """Send a message to the worker; the future resolves with its answer."""
        future: Future[Any] = Future()
        with self._lock:
            number = next(self._numbers)
            self._answers[number] = future
        self.send_tool_message(TOOL_MESSAGE.dump_json(ToolCallMessage(number, request, result)))
        return future

    def _take_answer(self, answer: ToolAnswer) -> None:
        with self._lock:
            future = self._answers.pop(answer.number, None)
        if future is None or not future.set_running_or_notify_cancel():
            return
        if answer.failed:
            future.set_exception(RuntimeError("the worker could not store or ask"))
        else:
            future.set_result(answer.decision)

    def apply(self, kind: FrameKind, payload: bytes) -> None:
        if kind is FrameKind.STORED:
            with self._lock:
                future = self._waiting.popleft()
            if future.set_running_or_notify_cancel():
                future.set_result(None)
            return
        request: StopRequest | SpendingRequest | UserMessage | ToolAnswer = decode_request(payload)
        if isinstance(request, ToolAnswer):
            self._take_answer(request)
        elif isinstance(request, StopRequest):
            self.control.stop(request.mode, request.age_seconds)
        elif isinstance(request, SpendingRequest):
            self.control.limit_spending(request.refusal)
        else:
            self.control.send_message(request)

    def release_waiting(self) -> None:
        """Wake everything that waits for events to be stored: the attempt has ended."""
        with self._lock:
            waiting, self._waiting = self._waiting, deque()
            answers, self._answers = self._answers, {}
        for future in (*waiting, *answers.values()):
            future.cancel()

    def _flush(self) -> Future[None]:
        future: Future[None] = Future()
        with self._lock:
            self._waiting.append(future)
            self._send_flush()  # in the order of the futures
        return future
