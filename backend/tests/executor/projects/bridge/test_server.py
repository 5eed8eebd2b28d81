"""The host's end of the bridge, against processes that follow the protocol and processes that do not."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from crewai_runner.domain.run_events import RunEvent
from crewai_runner.executor.projects.bridge.messages import InputRequestedMessage, StartMessage
from crewai_runner.executor.projects.bridge.server import BridgeLimits, BridgeServer, Store
from crewai_runner.executor.projects.bridge.translator import BridgeTranslator
from tests.executor.projects.bridge.guest_process import CREW

TASK = {"task_key": "research", "description_hash": "a" * 64}
STARTED = {"type": "task.started", **TASK, "description": "Find facts."}
COMPLETED = {"type": "task.completed", **TASK, "raw": "Facts."}
RESULT = {"type": "entry.completed", "raw": "Done."}
QUESTION = {"type": "input.requested", "request_id": "1-1", "kind": "input", "prompt": "Name?"}
Ask = Callable[[InputRequestedMessage], Awaitable[str | None]]


class Bridge:
    """A server and what it emitted."""

    def __init__(
        self,
        folder: Path,
        limits: BridgeLimits | None = None,
        ask: Ask | None = None,
        store: Store | None = None,
    ) -> None:
        self.events: list[RunEvent] = []
        self.path = folder / "bridge.sock"
        start = StartMessage(entry=CREW, inputs={"topic": "bees"})
        translator = BridgeTranslator("run-1")
        self.server = BridgeServer(
            self.path,
            start,
            translator,
            self.events.append,
            ask or self.no_answer,
            limits=limits,
            store=store,
        )

    async def no_answer(self, _question: InputRequestedMessage) -> str | None:
        return None

    @contextlib.asynccontextmanager
    async def connect(self) -> AsyncIterator["Client"]:
        reader, writer = await asyncio.open_unix_connection(str(self.path))
        try:
            yield Client(reader, writer)
        finally:
            writer.close()

    async def send(self, *lines: object) -> None:
        """Send lines as one process that then ends; wait until the server has processed them."""
        async with self.connect() as client:
            await client.read()
            # The server may close the connection first.
            with contextlib.suppress(ConnectionError):
                for line in lines:
                    await client.write(line)
                client.writer.write_eof()
                await asyncio.wait_for(client.reader.read(), 20)
        await self.server.wait_disconnected()

    @property
    def types(self) -> list[str]:
        return [event.type for event in self.events]

    @property
    def warnings(self) -> list[str]:
        return [event.data.code for event in self.events if event.type == "warning.raised"]


class Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def read(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(await asyncio.wait_for(self.reader.readline(), 20))
        return message

    async def write(self, line: object) -> None:
        self.writer.write(line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n")
        await self.writer.drain()


class TestServe:
    async def test_start_message(self, tmp_path: Path) -> None:
        bridge = Bridge(tmp_path)
        async with bridge.server, bridge.connect() as client:
            start = await client.read()

        assert start["entry"]["path"] == "src/sample/crew.py"
        assert start["inputs"] == {"topic": "bees"}

    async def test_events_and_result(self, tmp_path: Path) -> None:
        bridge = Bridge(tmp_path)
        async with bridge.server:
            await bridge.send(STARTED, COMPLETED, RESULT)

        assert bridge.types == ["task.started", "task.completed"]
        assert bridge.server.result is not None
        assert bridge.server.result.type == "entry.completed"
        assert not bridge.path.exists()

    async def test_a_finished_task_is_confirmed_when_it_is_stored(self, tmp_path: Path) -> None:
        """One that has not started is forged: nothing is stored for it."""
        stored: list[str] = []

        async def store() -> None:
            await asyncio.sleep(0.05)
            stored.extend(bridge.types)

        bridge = Bridge(tmp_path, store=store)
        async with bridge.server, bridge.connect() as client:
            await client.read()
            for request_id in ("1-1", "1-2"):
                await client.write(STARTED if request_id == "1-1" else COMPLETED)
                await client.write(COMPLETED | {"request_id": request_id})
                assert await client.read() == {"type": "stored", "request_id": request_id}

        assert stored == ["task.started", "task.completed"]

    async def test_a_question(self, tmp_path: Path) -> None:
        async def ask(question: InputRequestedMessage) -> str | None:
            return f"{question.prompt} Ada"

        bridge = Bridge(tmp_path, ask=ask)
        async with bridge.server, bridge.connect() as client:
            await client.read()
            await client.write(QUESTION)

            assert await client.read() == {"type": "input.answered", "request_id": "1-1", "text": "Name? Ada"}

    async def test_a_question_ends_with_its_process(self, tmp_path: Path) -> None:
        asked, cancelled = asyncio.Event(), asyncio.Event()

        async def ask(_question: InputRequestedMessage) -> str | None:
            asked.set()
            try:
                await asyncio.Event().wait()
            finally:
                cancelled.set()
            return None

        bridge = Bridge(tmp_path, ask=ask)
        async with bridge.server:
            async with bridge.connect() as client:
                await client.read()
                await client.write(QUESTION)
                await asyncio.wait_for(asked.wait(), 20)
            await asyncio.wait_for(cancelled.wait(), 20)

    async def test_the_server_closes_while_a_question_is_open(self, tmp_path: Path) -> None:
        asked = asyncio.Event()

        async def ask(_question: InputRequestedMessage) -> str | None:
            asked.set()
            await asyncio.Event().wait()
            return None

        bridge = Bridge(tmp_path, ask=ask)
        await bridge.server.__aenter__()
        async with bridge.connect() as client:
            await client.read()
            await client.write(QUESTION)
            await asyncio.wait_for(asked.wait(), 20)
            await bridge.server.__aexit__(None, None, None)
            assert await client.reader.read() == b""


class TestHostileProcess:
    """The run is unharmed: what is valid is processed, and nothing grows without a limit."""

    @pytest.mark.parametrize(
        "line",
        [
            b"not json\n",
            b"\n",
            b"null\n",
            b"[]\n",
            b'"task.started"\n',
            b"\xff\xfe\n",
            b'{"type": "task.started"}\n',
            b'{"type": "task.started", "task_key": "\\ud800"}\n',
            b"[" * 100_000 + b"\n",
            b'{"a":' * 100_000 + b"\n",
            {**STARTED, "type": "llm.completed", "usage": {"prompt_tokens": 9}},
            {**STARTED, "type": "run.completed"},
            {**STARTED, "task_key": "a\x1b[31m"},
            {**STARTED, "task_key": "a\nb"},
            {**STARTED, "agent": "x" * 101},
            {**STARTED, "description": 7},
            {**COMPLETED, "raw": "x" * 400_001},
            {**QUESTION, "kind": "trace"},
            {**COMPLETED, "json_output": [[]] * 20_000},
        ],
        ids=lambda line: str(line)[:40],
    )
    async def test_invalid_line(self, tmp_path: Path, line: object) -> None:
        bridge = Bridge(tmp_path)
        async with bridge.server:
            await bridge.send(STARTED, line, COMPLETED, RESULT)

        assert bridge.types == ["task.started", "task.completed"]
        assert bridge.server.rejected == 1
        assert bridge.server.result is not None

    async def test_unknown_fields_are_ignored(self, tmp_path: Path) -> None:
        forged = {"usage": {"totalTokens": -5}, "seq": 1, "run_id": "other", "budget": {}, "at": "2020-01-01"}
        bridge = Bridge(tmp_path)
        async with bridge.server:
            await bridge.send({**STARTED, **forged}, {**COMPLETED, **forged}, {**RESULT, **forged})

        assert {(event.run_id, event.seq) for event in bridge.events} == {("run-1", 0)}
        assert "totalTokens" not in "".join(event.model_dump_json() for event in bridge.events)

    async def test_a_line_of_10_megabytes(self, tmp_path: Path) -> None:
        bridge = Bridge(tmp_path)
        async with bridge.server:
            await bridge.send(STARTED, b"x" * 10_000_000)
            await bridge.send(COMPLETED)

        assert bridge.types == ["task.started", "warning.raised", "task.completed"]

    async def test_100_000_messages(self, tmp_path: Path) -> None:
        limits = BridgeLimits(messages=500, total=2_000_000, slow_down_seconds=0)
        bridge = Bridge(tmp_path, limits)
        steps = b"".join(
            json.dumps({"type": kind, "tool": "t", "call_id": "1-1", "output": ""}).encode() + b"\n"
            for kind in ("tool.started", "tool.completed")
        )
        async with bridge.server:
            await bridge.send(*[steps * 1000] * 50)

        assert bridge.types.count("tool.completed") == 250
        assert bridge.server.messages < 50_000  # the rest is not read
        assert bridge.warnings == ["bridge-limit"]

    async def test_the_result_is_read_beyond_the_limit_of_steps(self, tmp_path: Path) -> None:
        bridge = Bridge(tmp_path, BridgeLimits(messages=2, slow_down_seconds=0))
        async with bridge.server:
            await bridge.send(STARTED, COMPLETED, STARTED, RESULT)

        assert bridge.types == ["task.started", "task.completed", "warning.raised"]
        assert bridge.server.result is not None

    async def test_the_first_result_counts(self, tmp_path: Path) -> None:
        bridge = Bridge(tmp_path)
        async with bridge.server:
            await bridge.send(RESULT, {**RESULT, "raw": "Another."})

        assert bridge.server.result is not None
        assert bridge.server.result.model_dump()["raw"] == "Done."

    async def test_too_many_connections(self, tmp_path: Path) -> None:
        bridge = Bridge(tmp_path, BridgeLimits(connections=1))
        async with bridge.server, bridge.connect() as first:
            await first.read()
            async with bridge.connect() as second:
                assert await asyncio.wait_for(second.reader.read(), 20) == b""
            await first.write(STARTED)
            await first.write(QUESTION)
            await first.read()

        assert bridge.types == ["task.started"]

    async def test_too_many_questions(self, tmp_path: Path) -> None:
        asked: list[str] = []

        async def ask(question: InputRequestedMessage) -> str | None:
            asked.append(question.request_id)
            return "yes"

        bridge = Bridge(tmp_path, BridgeLimits(questions=2), ask)
        async with bridge.server, bridge.connect() as client:
            await client.read()
            for number in range(3):
                await client.write({**QUESTION, "request_id": f"1-{number}"})
            answers = [(await client.read())["text"] for _ in range(3)]

        assert sorted(asked) == ["1-0", "1-1"]
        assert answers.count(None) == 1
