"""`/api/...` means the newest version, `/api/v1/...`."""

import re

from starlette.types import ASGIApp, Receive, Scope, Send

NEWEST = "v1"
ROUTED = ("route", "fastapi")
"""Where the router notes its choice in a scope."""
_VERSIONED = re.compile(r"^/v\d+(/|$)")


class NewestVersion:
    """Rewrites unversioned API paths to the newest version's before routing."""

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app = app
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket") and scope["path"].startswith(self._prefix + "/"):
            rest = scope["path"].removeprefix(self._prefix)
            if not _VERSIONED.match(rest):
                await self._pass_on(scope, f"{self._prefix}/{NEWEST}{rest}", receive, send)
                return
        await self._app(scope, receive, send)

    async def _pass_on(self, scope: Scope, path: str, receive: Receive, send: Send) -> None:
        rewritten = dict(scope, path=path, raw_path=path.encode())
        try:
            await self._app(rewritten, receive, send)
        finally:
            # Those around it may ask which route it was.
            scope.update((name, rewritten[name]) for name in ROUTED if name in rewritten)
