"""What carries messages to a server and back: HTTP, or the input and output of a command."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

import httpx

Message = dict[str, Any]
OnMessage = Callable[[Message], Awaitable[None]]


class Exchange(Protocol):
    """Sends messages to one server. Its methods raise McpFailure, and UrlRefused."""

    host: str
    """What messages to people call the server."""
    cancels_by_closing: bool
    """Whether a server of the stateless era notices that the caller no longer waits."""

    async def open(self) -> None:
        """Make the server ready for the first message."""

    async def ask(
        self, request: Message, headers: Mapping[str, str], on_message: OnMessage
    ) -> tuple[Message, httpx.Headers]:
        """Send a request and return its answer, with the headers; `on_message` gets all before it."""

    async def send(self, message: Message, headers: Mapping[str, str]) -> None:
        """Send a notification or a reply, which has no answer."""

    async def end_session(self, headers: Mapping[str, str]) -> None:
        """Tell the server that the session has ended."""

    async def close(self) -> None:
        """Let go of the server."""
