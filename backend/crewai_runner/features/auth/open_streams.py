"""Ends responses that are still open when the rights of their caller change."""

import time
from collections.abc import Awaitable, Callable

from starlette.requests import HTTPConnection
from starlette.types import Message, Send

RECHECK_SECONDS = 4.0
"""The least time between two checks of a response. Streams send a heartbeat after 10 s at most, so they end
within 15 s.
"""
POLICY_VIOLATION = 1008

HasSameRights = Callable[[], Awaitable[bool]]
_SCOPE_KEY = "crewai_runner.has_same_rights"


class RightsChanged(ConnectionError):
    """Ends the endpoint as a lost connection would."""


def recheck_rights(
    send: Send, has_same_rights: HasSameRights, clock: Callable[[], float] = time.monotonic
) -> Send:
    """Return a `send` that ends a stream with RightsChanged once its caller's rights have changed.

    The client sees a stream that ended; when it reconnects, it has its new rights, or none. A response in one
    part is always sent: the request that it answers may itself have ended the session, as a change of the
    workspace does.
    """
    checked_at, is_open, is_stream = clock(), False, False

    async def checked_send(message: Message) -> None:
        nonlocal checked_at, is_open, is_stream
        is_stream = is_stream or message["type"].startswith("websocket.") or message.get("more_body", False)
        if is_open and is_stream and clock() - checked_at >= RECHECK_SECONDS:
            checked_at = clock()
            if not await has_same_rights():
                await send(_closing(message))
                raise RightsChanged
        is_open = is_open or message["type"] in ("http.response.start", "websocket.accept")
        await send(message)

    return checked_send


def set_rights_check(connection: HTTPConnection, has_same_rights: HasSameRights) -> None:
    connection.scope[_SCOPE_KEY] = has_same_rights


def get_rights_check(connection: HTTPConnection) -> HasSameRights:
    """Return the check for an endpoint that waits before its response begins."""
    check: HasSameRights = connection.scope[_SCOPE_KEY]
    return check


def _closing(message: Message) -> Message:
    if message["type"].startswith("websocket."):
        return {"type": "websocket.close", "code": POLICY_VIOLATION, "reason": "The rights have changed."}
    return {"type": "http.response.body", "body": b"", "more_body": False}
