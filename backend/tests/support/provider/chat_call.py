"""An open chat completion request, and the ways to respond to it."""

import asyncio
import json
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from tests.support.provider.http_connection import Connection
from tests.support.provider.request_log import RecordedRequest, RequestLog

Gate = Callable[[str], asyncio.Event]


class ChatCall:
    """Responds to one chat completion request in the OpenAI protocol."""

    def __init__(
        self, connection: Connection, record: RecordedRequest, gate: Gate, delay: float, log: RequestLog
    ) -> None:
        self._connection = connection
        self.record = record
        self._log = log
        self._gate = gate
        self._delay = delay
        self._id = f"chatcmpl-{record.number}"

    @property
    def is_streaming(self) -> bool:
        return bool(self.record.payload.get("stream"))

    async def wait_delay(self, seconds: float | None) -> None:
        """Wait before the response; None: the provider's default delay."""
        seconds_to_wait = self._delay if seconds is None else seconds
        if seconds_to_wait > 0:
            await asyncio.sleep(seconds_to_wait)

    async def wait_for_gate(self, name: str) -> None:
        await self._gate(name).wait()

    def count_usage(self, answer: str) -> dict[str, int]:
        """Usage with one token per word, which tests can compute."""
        return usage(len(self.record.text.split()), len(answer.split()))

    def send_completion(
        self, message: dict[str, Any], finish: str, reported_usage: dict[str, Any] | None
    ) -> None:
        """Send the complete response of a call that does not stream."""
        choice = {
            "index": 0,
            "message": {"role": "assistant", **message},
            "finish_reason": finish,
            "logprobs": None,
        }
        self.send_json(200, self._envelope("chat.completion", [choice], reported_usage))

    async def send_deltas(
        self, deltas: Iterable[dict[str, Any]], pause: float = 0.0, stamp: bool = False
    ) -> None:
        """Send the deltas as server-sent events, without the end of the stream.

        With ``stamp`` each text chunk ends in ``@<monotonic ns>;``, the time at which it was sent.
        """
        self._connection.start_chunked("text/event-stream; charset=utf-8")
        self._send_delta({"role": "assistant", "content": ""})
        for delta in deltas:
            if pause > 0:
                await asyncio.sleep(pause)
            else:
                await asyncio.sleep(0)  # lets the loop process a disconnect between two chunks
            self._send_delta({"content": f"{delta['content']}@{time.monotonic_ns()};"} if stamp else delta)

    def end_stream(self, finish: str, reported_usage: dict[str, Any] | None) -> None:
        """Send the finish reason, the usage if the client asked for it, and ``[DONE]``."""
        self._send_delta({}, finish)
        if reported_usage is not None and (self.record.payload.get("stream_options") or {}).get(
            "include_usage"
        ):
            self._send_event(self._envelope("chat.completion.chunk", [], reported_usage))
        self._connection.send_chunk(b"data: [DONE]\n\n")
        self._finish(200)
        self._connection.end_chunked()

    def _send_delta(self, delta: dict[str, Any], finish: str | None = None) -> None:
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
        self._send_event(self._envelope("chat.completion.chunk", [choice], None))

    def _send_event(self, event: dict[str, Any]) -> None:
        self._connection.send_chunk(f"data: {json.dumps(event)}\n\n".encode())

    def _envelope(
        self, kind: str, choices: list[dict[str, Any]], reported_usage: dict[str, Any] | None
    ) -> dict[str, Any]:
        return {
            "id": self._id,
            "object": kind,
            "created": 1_700_000_000 + self.record.number,
            "model": self.record.model,
            "choices": choices,
            "usage": reported_usage,
        }

    def send_raw(self, content_type: str, parts: Sequence[bytes], *, is_complete: bool) -> None:
        """Send a chunked response of these parts; without its end if it is not complete."""
        self._connection.start_chunked(content_type)
        for part in parts:
            self._connection.send_chunk(part)
        if is_complete:
            self._finish(200)
            self._connection.end_chunked()

    def send_json(self, status: int, content: Any, headers: dict[str, str] | None = None) -> None:
        """Send a complete JSON response with any status."""
        self._finish(status)
        self._connection.send_json(status, content, headers)

    def send_text(self, status: int, content_type: str, text: str) -> None:
        self._finish(status)
        self._connection.send(status, content_type, text.encode())

    def send_truncated_json(self, text: str) -> None:
        """Send the beginning of a JSON response whose Content-Length announces more."""
        self._connection.send_truncated_json(text.encode())

    def disconnect(self) -> None:
        """Close the socket."""
        self._finish(None)
        self._connection.close()

    def _finish(self, status: int | None) -> None:
        """Log the end before the client sees it, so that tests cannot read the log too early."""
        self.record.status = status
        self._log.mark_finished(self.record)


def usage(prompt_tokens: int, completion_tokens: int, cached_tokens: int = 0) -> dict[str, Any]:
    """Return a usage object of the OpenAI protocol."""
    return {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt_tokens + completion_tokens,
        "prompt_tokens_details": {"cached_tokens": cached_tokens},
    }


def error_body(status: int, message: str) -> dict[str, Any]:
    """Return an error body in OpenAI's format."""
    kinds = {401: "authentication_error", 404: "not_found_error", 429: "rate_limit_error"}
    kind = kinds.get(status, "server_error" if status >= 500 else "invalid_request_error")
    codes = {401: "invalid_api_key", 404: "model_not_found", 429: "rate_limit_exceeded"}
    return {"error": {"message": message, "type": kind, "param": None, "code": codes.get(status)}}
