"""Messages to an MCP server that is a command: one line of JSON each, on its input and output."""

import asyncio
import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx

from crewai_runner.core.bounded_json import parse_json
from crewai_runner.executor.mcp.commands import CommandStarter, RunningCommand
from crewai_runner.executor.mcp.exchange import Message, OnMessage
from crewai_runner.executor.mcp.failures import ServerUnreachable, SessionEnded
from crewai_runner.executor.mcp.wire import make_reply

MAX_BYTES = 32 * 1024 * 1024
MAX_MESSAGES = 20_000
"""What a server may send from one request to the next one."""


@dataclass(slots=True)
class _Pending:
    """A request that has no answer yet."""

    on_message: OnMessage
    answer: "asyncio.Future[Message]" = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class StdioExchange:
    """An Exchange. The command starts with `open`, again after it has ended, and stops with `close`."""

    cancels_by_closing = False

    def __init__(self, name: str, commands: CommandStarter) -> None:
        self._name, self._commands = name, commands
        self.host = f"The command {name}"
        self._running: RunningCommand | None = None
        self._reading: asyncio.Task[None] | None = None
        self._pending: dict[object, _Pending] = {}
        self._bytes_left = self._messages_left = 0

    async def open(self) -> None:
        """Start the command unless it runs."""
        if self._running is not None:
            return
        await self.close()
        self._allow_more()
        self._running = await self._commands.start(self._name)
        self._reading = asyncio.create_task(self._read(self._running), name=f"mcp-command-{self._name}")

    async def ask(
        self, request: Message, headers: Mapping[str, str], on_message: OnMessage
    ) -> tuple[Message, httpx.Headers]:
        del headers
        running = self._get_running()
        pending = self._pending[request["id"]] = _Pending(on_message)
        self._allow_more()
        try:
            await self._write(running, request)
            return await pending.answer, httpx.Headers()
        finally:
            del self._pending[request["id"]]

    async def send(self, message: Message, headers: Mapping[str, str]) -> None:
        del headers
        await self._write(self._get_running(), message)

    async def end_session(self, headers: Mapping[str, str]) -> None:
        del headers

    async def close(self) -> None:
        if self._reading is None:
            return
        if self._running is not None:
            self._reading.cancel()
        await asyncio.wait([self._reading])
        self._reading = None

    def _get_running(self) -> RunningCommand:
        if self._running is None:
            raise SessionEnded(f"{self.host} has ended.")
        return self._running

    def _allow_more(self) -> None:
        self._bytes_left, self._messages_left = MAX_BYTES, MAX_MESSAGES

    async def _write(self, running: RunningCommand, message: Message) -> None:
        try:
            running.writer.write(json.dumps(message).encode() + b"\n")
            await running.writer.drain()
        except OSError as error:
            raise ServerUnreachable(f"{self.host} has ended.", may_have_run=True) from error

    async def _read(self, running: RunningCommand) -> None:
        """Deliver what the command writes until it ends; then end all of it, and what waits for it."""
        reason = "has ended before it answered"
        try:
            while line := await running.reader.readline():
                self._bytes_left -= len(line)
                self._messages_left -= 1
                if self._bytes_left < 0 or self._messages_left < 0:
                    reason = "was stopped: it sent too much"
                    break
                await self._deliver(running, line)
        except ValueError:
            reason = "was stopped: it sent a line that is too long"
        except OSError:
            pass
        finally:
            self._running = None
            for pending in self._pending.values():
                if not pending.answer.done():
                    failure = ServerUnreachable(f"{self.host} {reason}.", may_have_run=True)
                    pending.answer.set_exception(failure)
            await asyncio.shield(running.stop())

    async def _deliver(self, running: RunningCommand, line: bytes) -> None:
        """Pass a message on; other text that a command writes to its output is ignored."""
        try:
            message = parse_json(line)
        except ValueError:
            return
        if not isinstance(message, dict):
            return
        if "method" in message:
            await self._deliver_request(running, message)
            return
        pending = self._find_pending(message.get("id"))
        if pending is not None and not pending.answer.done():
            pending.answer.set_result(message)

    async def _deliver_request(self, running: RunningCommand, message: Message) -> None:
        """Pass on what belongs to a request: progress by its token, the rest to the newest request."""
        params = message.get("params")
        token = params.get("progressToken") if isinstance(params, dict) else None
        pending = self._find_pending(token) if token is not None else None
        if pending is None and token is None and self._pending:
            pending = next(reversed(self._pending.values()))
        if pending is not None:
            await pending.on_message(message)
        elif "id" in message:
            with contextlib.suppress(ServerUnreachable):
                await self._write(running, make_reply(message))

    def _find_pending(self, key: object) -> _Pending | None:
        return self._pending.get(key) if isinstance(key, int) and not isinstance(key, bool) else None
