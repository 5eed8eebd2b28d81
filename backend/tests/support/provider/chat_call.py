"""One model call being answered: what a reply may do to it."""

import asyncio
import json
import time
from collections.abc import Callable, Iterable
from typing import Any

from tests.support.provider.http_connection import Connection
from tests.support.provider.request_log import Ledger, RecordedRequest

Gate = Callable[[str], asyncio.Event]


class Exchange:
    """The open call and the words of the OpenAI protocol to answer it with."""

    def __init__(
        self, connection: Connection, record: RecordedRequest, gate: Gate, delay: float, ledger: Ledger
    ) -> None:
        self._connection = connection
        self.record = record
        self._ledger = ledger
        self._gate = gate
        self._delay = delay
        self._id = f"chatcmpl-{record.number}"

    @property
    def streaming(self) -> bool:
        return bool(self.record.payload.get("stream"))

    async def pause(self, seconds: float | None) -> None:
        """Wait before the answer; None means the provider's own delay."""
        wanted = self._delay if seconds is None else seconds
        if wanted > 0:
            await asyncio.sleep(wanted)

    async def wait_for_gate(self, name: str) -> None:
        await self._gate(name).wait()

    def count(self, answer: str) -> dict[str, int]:
        """Usage that a test can work out by hand: a token is a word."""
        return usage(len(self.record.text.split()), len(answer.split()))

    def complete(self, message: dict[str, Any], finish: str, counted: dict[str, Any] | None) -> None:
        """Send the whole answer of a call that does not stream."""
        choice = {
            "index": 0,
            "message": {"role": "assistant", **message},
            "finish_reason": finish,
            "logprobs": None,
        }
        self.respond(200, self._envelope("chat.completion", [choice], counted))

    async def stream(self, deltas: Iterable[dict[str, Any]], pause: float = 0.0, stamp: bool = False) -> None:
        """Send the deltas as server-sent events, without an end.

        With ``stamp`` each piece of text ends in ``@<monotonic ns>;``, the moment it left.
        """
        self._connection.start_stream("text/event-stream; charset=utf-8")
        self._send_delta({"role": "assistant", "content": ""})
        for delta in deltas:
            if pause > 0:
                await asyncio.sleep(pause)
            else:
                await asyncio.sleep(0)  # lets a disconnect be seen between two pieces
            self._send_delta({"content": f"{delta['content']}@{time.monotonic_ns()};"} if stamp else delta)

    def end_stream(self, finish: str, counted: dict[str, Any] | None) -> None:
        """Send the finish reason, the usage if the client asked for it, and ``[DONE]``."""
        self._send_delta({}, finish)
        if counted is not None and (self.record.payload.get("stream_options") or {}).get("include_usage"):
            self._send_event(self._envelope("chat.completion.chunk", [], counted))
        self._connection.send_chunk(b"data: [DONE]\n\n")
        self._finish(200)
        self._connection.end_stream()

    def _send_delta(self, delta: dict[str, Any], finish: str | None = None) -> None:
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
        self._send_event(self._envelope("chat.completion.chunk", [choice], None))

    def _send_event(self, event: dict[str, Any]) -> None:
        self._connection.send_chunk(f"data: {json.dumps(event)}\n\n".encode())

    def _envelope(
        self, kind: str, choices: list[dict[str, Any]], counted: dict[str, Any] | None
    ) -> dict[str, Any]:
        return {
            "id": self._id,
            "object": kind,
            "created": 1_700_000_000 + self.record.number,
            "model": self.record.model,
            "choices": choices,
            "usage": counted,
        }

    def respond(self, status: int, content: Any, headers: dict[str, str] | None = None) -> None:
        """Send any whole response as JSON."""
        self._finish(status)
        self._connection.send_json(status, content, headers)

    def respond_text(self, status: int, content_type: str, text: str) -> None:
        self._finish(status)
        self._connection.send(status, content_type, text.encode())

    def promise(self, text: str) -> None:
        """Send the beginning of a JSON answer that is longer than what follows."""
        self._connection.promise(text.encode())

    def drop(self) -> None:
        """Close the socket."""
        self._finish(None)
        self._connection.close()

    def _finish(self, status: int | None) -> None:
        """Write the end into the ledger before the client can see it, so that tests do not race it."""
        self.record.status = status
        self._ledger.finished(self.record)


def usage(prompt_tokens: int, completion_tokens: int, cached_tokens: int = 0) -> dict[str, Any]:
    """A usage object of the OpenAI protocol."""
    return {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt_tokens + completion_tokens,
        "prompt_tokens_details": {"cached_tokens": cached_tokens},
    }


def error_body(status: int, message: str) -> dict[str, Any]:
    """An error as OpenAI words it."""
    kinds = {401: "authentication_error", 404: "not_found_error", 429: "rate_limit_error"}
    kind = kinds.get(status, "server_error" if status >= 500 else "invalid_request_error")
    codes = {401: "invalid_api_key", 404: "model_not_found", 429: "rate_limit_exceeded"}
    return {"error": {"message": message, "type": kind, "param": None, "code": codes.get(status)}}
