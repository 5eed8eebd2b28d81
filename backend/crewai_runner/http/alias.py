"""`/api/...` means the newest version, `/api/v1/...`."""

import re

from starlette.types import ASGIApp, Receive, Scope, Send

NEWEST = "v1"
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
                scope = dict(scope, path=f"{self._prefix}/{NEWEST}{rest}")
                scope["raw_path"] = scope["path"].encode()
        await self._app(scope, receive, send)
