"""Unversioned API paths, `/api/...`, are aliases of the latest version, `/api/v1/...`."""

import re

from starlette.types import ASGIApp, Receive, Scope, Send

LATEST_VERSION = "v1"
ROUTE_KEYS = ("route", "fastapi")
"""The keys under which the router stores the matched route in a scope."""
_VERSIONED = re.compile(r"^/v\d+(/|$)")


class VersionAliasMiddleware:
    """Rewrites unversioned API paths to the latest version before routing."""

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app = app
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope.get("path", "")
        rest = path.removeprefix(self._prefix)
        is_api = scope["type"] in ("http", "websocket") and path.startswith(self._prefix + "/")
        if not is_api or _VERSIONED.match(rest):
            await self._app(scope, receive, send)
            return
        versioned = f"{self._prefix}/{LATEST_VERSION}{rest}"
        rewritten = dict(scope, path=versioned, raw_path=versioned.encode())
        try:
            await self._app(rewritten, receive, send)
        finally:
            # Outer middleware reads the matched route from the original scope.
            scope.update((key, rewritten[key]) for key in ROUTE_KEYS if key in rewritten)
