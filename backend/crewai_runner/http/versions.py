"""The supported API versions, and the deprecation headers of versions and endpoints."""

import re
from collections.abc import Mapping

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crewai_runner.core.errors import NotFound
from crewai_runner.http.deprecation import Deprecation, get_deprecation
from crewai_runner.http.problems import error_response
from crewai_runner.http.version_alias import LATEST_VERSION

API_VERSIONS: Mapping[str, Deprecation | None] = {LATEST_VERSION: None}
"""The supported versions, each with its deprecation, if any."""


class VersionUnknown(NotFound):
    slug = "version-unknown"
    title = "API version does not exist"


class ApiVersionMiddleware:
    """Rejects unknown versions and adds deprecation headers.

    Must be inside `VersionAliasMiddleware`, so that every path has a version and the router stores the
    matched route in the scope that this middleware sees.
    """

    def __init__(
        self, app: ASGIApp, prefix: str, versions: Mapping[str, Deprecation | None] = API_VERSIONS
    ) -> None:
        self._app, self._versions = app, versions
        self._path = re.compile(rf"{re.escape(prefix)}/(v\d+)(?:/|$)")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        match = self._path.match(scope["path"]) if scope["type"] in ("http", "websocket") else None
        if match is None:
            await self._app(scope, receive, send)
        elif match[1] not in self._versions:
            await self._reject(match[1], scope, receive, send)
        else:
            await self._add_headers(self._versions[match[1]], scope, receive, send)

    async def _add_headers(
        self, version_deprecation: Deprecation | None, scope: Scope, receive: Receive, send: Send
    ) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.accept"):
                deprecation = get_deprecation(scope.get("route")) or version_deprecation
                if deprecation is not None:
                    message["headers"] = [*message.get("headers", ()), *deprecation.headers()]
            await send(message)

        await self._app(scope, receive, send_with_headers)

    async def _reject(self, name: str, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": VersionUnknown.title})
            return
        supported = sorted(self._versions)
        error = VersionUnknown(
            f"API version {name} does not exist. Supported versions: {', '.join(supported)}.",
            versions=supported,
        )
        await error_response(HTTPConnection(scope), error)(scope, receive, send)
