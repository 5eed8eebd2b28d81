"""The versions of the API that there are, and which of them or of their endpoints will go."""

import re
from collections.abc import Mapping

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crewai_runner.core.errors import NotFound
from crewai_runner.http.alias import NEWEST
from crewai_runner.http.deprecation import Deprecation, deprecation_of
from crewai_runner.http.problems import respond

VERSIONS: Mapping[str, Deprecation | None] = {NEWEST: None}
"""Each version that is answered; a deprecated one with when and why."""


class VersionUnknown(NotFound):
    slug = "version-unknown"
    title = "No such version of the API"


class Versions:
    """Refuses versions that there are not, and announces on every answer what is deprecated.

    Stands where `NewestVersion` has put a version into every path, and where the router's choice is
    written into this very scope.
    """

    def __init__(
        self, app: ASGIApp, prefix: str, versions: Mapping[str, Deprecation | None] = VERSIONS
    ) -> None:
        self._app, self._versions = app, versions
        self._path = re.compile(rf"{re.escape(prefix)}/(v\d+)(?:/|$)")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        named = self._path.match(scope["path"]) if scope["type"] in ("http", "websocket") else None
        if named is None:
            await self._app(scope, receive, send)
        elif named[1] not in self._versions:
            await self._refuse(named[1], scope, receive, send)
        else:
            await self._announce(self._versions[named[1]], scope, receive, send)

    async def _announce(
        self, of_version: Deprecation | None, scope: Scope, receive: Receive, send: Send
    ) -> None:
        async def send_with_news(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.accept"):
                deprecation = deprecation_of(scope.get("route")) or of_version
                if deprecation is not None:
                    message["headers"] = [*message.get("headers", ()), *deprecation.headers()]
            await send(message)

        await self._app(scope, receive, send_with_news)

    async def _refuse(self, name: str, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": VersionUnknown.title})
            return
        known = sorted(self._versions)
        words = f"There is no version {name} of this API; there is {', '.join(known)}."
        response = respond(
            HTTPConnection(scope),
            VersionUnknown.status,
            VersionUnknown.slug,
            VersionUnknown.title,
            words,
            {"versions": known},
        )
        await response(scope, receive, send)
