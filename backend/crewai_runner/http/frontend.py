"""Serves the built dashboard: its page at every address that is nobody else's, its files as they are."""

import contextlib
import hashlib
import html
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from pathlib import Path

from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Match, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from crewai_runner.core.errors import NotFound

PAGE_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        # The editor and the dialogs write style elements of their own.
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    )
)
FOREVER = "public, max-age=31536000, immutable"
ALWAYS_ASK = "no-cache"
PACKED = ".gz"


class DashboardNotBuilt(NotFound):
    slug = "dashboard-not-built"
    title = "The dashboard is not built"


def install(app: FastAPI, folder: Path, api_base_url: str, taken: Sequence[str]) -> None:
    """Serve the build in `folder`; addresses at or below a `taken` path are never answered with the page.

    Must come after every other route. Files under `/assets` carry a hash in their name and may be kept for
    ever; a missing one is a 404, never the page, so that an old page notices an upgrade.
    """
    page = Page(folder / "index.html", api_base_url)
    files = BuiltFiles(folder, ALWAYS_ASK)

    async def frontend(request: Request) -> Response:
        path: str = request.path_params["path"]
        segments = path.split("/")
        # An address of the dashboard is a plain one; other spellings of the API's must not look like one.
        if any(segment.startswith(".") or not segment for segment in segments[:-1]):
            raise HTTPException(404)
        if "." not in segments[-1] or path == "index.html":
            return page.answer(request)
        return await files.get_response(path, request.scope)

    app.mount("/assets", BuiltFiles(folder / "assets", FOREVER), name="assets")
    app.router.routes.append(Elsewhere("/{path:path}", frontend, taken))


def install_absence(app: FastAPI) -> None:
    """Without a build, say at `/` what there is instead."""

    async def absence(_: Request) -> Response:
        raise DashboardNotBuilt(
            "The API works, its documentation is at /docs. `make build` builds the dashboard; "
            "a build elsewhere is named by FRONTEND_DIR. Then start the server again."
        )

    app.router.routes.append(Route("/", absence, methods=["GET", "HEAD"], include_in_schema=False))


class Elsewhere(Route):
    """Every address but the taken ones: there an unknown path stays a 404 for every method."""

    def __init__(
        self, path: str, endpoint: Callable[[Request], Awaitable[Response]], taken: Sequence[str]
    ) -> None:
        super().__init__(path, endpoint, methods=["GET", "HEAD"], include_in_schema=False)
        self._taken = tuple(f"{prefix}/" for prefix in taken)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        # In any case: `/API/…` is a mistake, and the page would hide it.
        if scope["type"] == "http" and f"{scope['path']}/".lower().startswith(self._taken):
            return Match.NONE, {}
        return super().matches(scope)


class Page:
    """The one page, which is told where the API is; read again when it was built again."""

    def __init__(self, file: Path, api_base_url: str) -> None:
        self._file = file
        self._where = f'<meta name="api-base" content="{html.escape(api_base_url)}" />'
        self._built = -1
        self._read()

    def answer(self, request: Request) -> Response:
        self._read()
        headers = {
            "Cache-Control": ALWAYS_ASK,
            "Content-Security-Policy": PAGE_POLICY,
            "ETag": self._tag,
        }
        known = request.headers.get("if-none-match", "")
        if self._tag in [tag.strip().removeprefix("W/") for tag in known.split(",")]:
            # With the policy: a browser would keep the API's, which every answer without one is given.
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        return HTMLResponse(self._text, headers=headers)

    def _read(self) -> None:
        try:
            built = self._file.stat().st_mtime_ns
            if built == self._built:
                return
            text = self._file.read_text(encoding="utf-8")
        except FileNotFoundError:
            if self._built < 0:
                raise
            return  # it is being built at this moment
        self._built = built
        self._text = text.replace("</head>", f"{self._where}</head>", 1)
        self._tag = f'"{hashlib.sha256(self._text.encode()).hexdigest()[:32]}"'


class BuiltFiles(StaticFiles):
    """Files of a build, compressed beforehand where a `.gz` lies beside them."""

    def __init__(self, directory: Path, cache: str) -> None:
        super().__init__(directory=directory, check_dir=False)
        self._cache = cache

    async def check_config(self) -> None:
        """A build without such a folder has no such files; that is all."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        if path.endswith(PACKED) or any(part.startswith(".") for part in path.split("/")):
            raise HTTPException(404)
        response = await self._smallest(path, scope)
        response.headers["Cache-Control"] = self._cache
        response.headers["Vary"] = "Accept-Encoding"
        response.headers["Content-Security-Policy"] = PAGE_POLICY
        return response

    async def _smallest(self, path: str, scope: Scope) -> Response:
        # Looked for first, whatever the reader has of it: the type is the plain file's.
        plain = await super().get_response(path, {**scope, "headers": []})
        if _takes_gzip(scope):
            with contextlib.suppress(HTTPException):
                packed = await super().get_response(path + PACKED, scope)
                if packed.status_code == HTTPStatus.OK:
                    packed.headers["Content-Type"] = plain.headers["Content-Type"]
                    packed.headers["Content-Encoding"] = "gzip"
                return packed
        return await super().get_response(path, scope)


def _takes_gzip(scope: Scope) -> bool:
    for offer in Headers(scope=scope).get("accept-encoding", "").split(","):
        name, _, weight = offer.replace(" ", "").partition(";")
        if name in ("gzip", "*"):
            return weight not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
