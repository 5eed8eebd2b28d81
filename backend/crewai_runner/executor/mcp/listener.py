"""Reads what a server sends before the answer to a request: progress, log lines, questions."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from crewai_runner.domain.mcp_tools import clean_text
from crewai_runner.executor.mcp import wire
from crewai_runner.executor.mcp.exchange import Message
from crewai_runner.executor.mcp.questions import METHOD, CallQuestions

MAX_NOTICE_LENGTH = 500
MAX_PROGRESS = 1e15
MAX_MESSAGES = 200
"""Messages that are read during one request; a server may send any number of them."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What a server says while it carries out a request: progress or a log line."""

    text: str
    progress: float | None = None
    total: float | None = None


OnNotice = Callable[[Notice], None]


class RequestListener:
    """Of one request. `reply` sends an answer to the server. Close it with the request."""

    def __init__(
        self,
        reply: Callable[[Message], Awaitable[None]],
        on_notice: OnNotice | None,
        questions: CallQuestions | None,
    ) -> None:
        self._reply, self._on_notice, self._questions = reply, on_notice, questions
        self._left = MAX_MESSAGES
        self._answering: set[asyncio.Task[None]] = set()

    async def on_message(self, message: Message) -> None:
        self._left -= 1
        if self._left < 0:
            return
        if "id" in message and "method" in message:
            await self._answer(message)
        elif self._on_notice is not None and (notice := read_notice(message)) is not None:
            self._on_notice(notice)

    def close(self) -> None:
        """End the waiting for answers: the request has ended."""
        for task in self._answering:
            task.cancel()

    async def _answer(self, message: Message) -> None:
        if message["method"] != METHOD or self._questions is None:
            await self._reply(wire.make_reply(message))
            return
        # A person takes their time: messages are read meanwhile.
        task = asyncio.create_task(self._answer_question(message, self._questions))
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    async def _answer_question(self, message: Message, questions: CallQuestions) -> None:
        answer = await questions.answer(message.get("params"))
        await self._reply({"jsonrpc": "2.0", "id": message["id"], "result": answer})


def read_notice(message: Mapping[str, Any]) -> Notice | None:
    """Return the progress or log line in a notification, None for other messages."""
    params = message.get("params")
    if not isinstance(params, dict):
        return None
    if message.get("method") == "notifications/progress":
        text = params.get("message")
        shown = clean_text(text, MAX_NOTICE_LENGTH) if isinstance(text, str) else ""
        return Notice(shown, _read_number(params.get("progress")), _read_number(params.get("total")))
    if message.get("method") == "notifications/message":
        line = params.get("data")
        text = line if isinstance(line, str) else json.dumps(line)[: MAX_NOTICE_LENGTH * 2]
        return Notice(clean_text(text, MAX_NOTICE_LENGTH))
    return None


def _read_number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < MAX_PROGRESS else None
