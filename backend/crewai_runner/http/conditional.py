"""Conditional requests (RFC 9110, section 13.1.2): 304 instead of what the client already has."""

import re
from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_ENTITY_TAG = re.compile(r'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*+")')
_OF_CONTENT = ("content-length", "content-type", "content-encoding", "content-language", "content-range")
"""Headers that describe a content; a 304 has none. All others are those of the 200."""


class ConditionalGetMiddleware:
    """Answers GET and HEAD with 304 if `If-None-Match` has the response's ETag.

    The ETag comes from the endpoint; a response without one is sent as it is. The comparison is weak, as the
    RFC requires here: proxies that compress a response weaken its tag.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        values = Headers(scope=scope).getlist("if-none-match") if scope["type"] == "http" else []
        if not values or scope["method"] not in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        is_not_modified = False

        async def conditional_send(message: Message) -> None:
            nonlocal is_not_modified
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                is_not_modified = message["status"] == HTTPStatus.OK and has_match(
                    values, headers.get("etag")
                )
                if is_not_modified:
                    message["status"] = int(HTTPStatus.NOT_MODIFIED)
                    for name in _OF_CONTENT:
                        del headers[name]
            elif is_not_modified and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        await self._app(scope, receive, conditional_send)


def has_match(if_none_match: list[str], etag: str | None) -> bool:
    """Return whether the values of If-None-Match include this ETag; `*` includes every one."""
    if etag is None:
        return False
    current = _ENTITY_TAG.fullmatch(etag)
    known = ",".join(if_none_match)
    return known.strip() == "*" or (current is not None and current[1] in _ENTITY_TAG.findall(known))
