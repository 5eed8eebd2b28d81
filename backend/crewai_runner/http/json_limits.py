"""Limits on the structure of JSON bodies, checked before they are parsed and validated.

A body of 300,000 unknown members would keep its validation, and the description of its errors, busy for most
of a minute.
"""

import asyncio
from email.message import Message as MimeHeaders
from functools import lru_cache
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crewai_runner.core.bounded_json import MAX_DEPTH, find_excess

MAX_VALUES = 50_000
MAX_OBJECT_MEMBERS = 1_000
MAX_ARRAY_ITEMS = 10_000
_CHECKED_IN_LOOP = 16 * 1024
"""Bytes of a body that is checked in the event loop; a larger one is checked in a thread."""


class JsonLimitMiddleware:
    """Rejects JSON bodies with too many values, members or levels."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _is_json(Headers(scope=scope).get("content-type", "")):
            await self._app(scope, receive, send)
            return
        body = bytearray()

        async def checking_receive() -> Message:
            message = await receive()
            body.extend(message.get("body", b""))
            if message["type"] == "http.request" and not message.get("more_body", False):
                await _check(bytes(body))
                body.clear()
            return message

        await self._app(scope, checking_receive, send)


async def _check(body: bytes) -> None:
    """Raise HTTPException (422): FastAPI turns any other exception raised while reading into a 400."""
    excess = await asyncio.to_thread(_find, body) if len(body) > _CHECKED_IN_LOOP else _find(body)
    if excess is not None:
        raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, f"{excess} Send a smaller request.")


def _find(body: bytes) -> str | None:
    return find_excess(
        body,
        max_depth=MAX_DEPTH,
        max_values=MAX_VALUES,
        max_members=MAX_OBJECT_MEMBERS,
        max_items=MAX_ARRAY_ITEMS,
    )


@lru_cache(maxsize=64)
def _is_json(content_type: str) -> bool:
    # As FastAPI decides whether it parses a body as JSON.
    headers = MimeHeaders()
    headers["content-type"] = content_type
    subtype = headers.get_content_subtype()
    return headers.get_content_maintype() == "application" and (
        subtype == "json" or subtype.endswith("+json")
    )
