"""Serve the built dashboard: a single-page application and its static files."""

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
        # The editor and the dialogs create style elements.
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
IMMUTABLE = "public, max-age=31536000, immutable"
REVALIDATE = "no-cache"
GZIP_SUFFIX = ".gz"


class DashboardNotBuilt(NotFound):
    slug = "dashboard-not-built"
    title = "The dashboard is not built"


def install(app: FastAPI, folder: Path, api_base_url: str, reserved: Sequence[str]) -> None:
    """Serve the build in `folder` at all paths, except for the `reserved` ones and those below them.

    Must be called after all other routes are added. Files under `/assets` have a hash in their name and are
    immutable; a missing one is a 404 instead of the page, so that an outdated page notices the upgrade.
    """
    page = IndexPage(folder / "index.html", api_base_url)
    files = PrecompressedFiles(folder, REVALIDATE)

    async def frontend(request: Request) -> Response:
        path: str = request.path_params["path"]
        segments = path.split("/")
        # An unnormalized path may be a variant of an API path, so it must not return the dashboard.
        if any(segment.startswith(".") or not segment for segment in segments[:-1]):
            raise HTTPException(404)
        if "." not in segments[-1] or path == "index.html":
            return page.respond()
        return await files.get_response(path, request.scope)

    app.mount("/assets", PrecompressedFiles(folder / "assets", IMMUTABLE), name="assets")
    app.router.routes.append(FallbackRoute("/{path:path}", frontend, reserved))


def install_missing_build(app: FastAPI) -> None:
    """Explain at `/` that there is no build."""

    async def explain(_: Request) -> Response:
        raise DashboardNotBuilt(
            "The API is running; its documentation is at /docs. Build the dashboard with `make build` or set "
            "FRONTEND_DIR to an existing build, then restart the server."
        )

    app.router.routes.append(Route("/", explain, methods=["GET", "HEAD"], include_in_schema=False))


class FallbackRoute(Route):
    """Matches all paths except for the reserved ones, where unknown paths remain a 404 for every method."""

    def __init__(
        self, path: str, endpoint: Callable[[Request], Awaitable[Response]], reserved: Sequence[str]
    ) -> None:
        super().__init__(path, endpoint, methods=["GET", "HEAD"], include_in_schema=False)
        self._reserved = tuple(f"{prefix}/" for prefix in reserved)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        # Case-insensitive, so that `/API/…` is a 404 instead of the dashboard.
        if scope["type"] == "http" and f"{scope['path']}/".lower().startswith(self._reserved):
            return Match.NONE, {}
        return super().matches(scope)


class IndexPage:
    """The HTML page with the API's base URL inserted; reloaded when the file changes."""

    def __init__(self, file: Path, api_base_url: str) -> None:
        self._file = file
        self._meta_tag = f'<meta name="api-base" content="{html.escape(api_base_url)}" />'
        self._modified = -1
        self._reload()

    def respond(self) -> Response:
        self._reload()
        headers = {
            "Cache-Control": REVALIDATE,
            "Content-Security-Policy": PAGE_POLICY,
            "ETag": self._etag,
        }
        return HTMLResponse(self._text, headers=headers)

    def _reload(self) -> None:
        try:
            modified = self._file.stat().st_mtime_ns
            if modified == self._modified:
                return
            text = self._file.read_text(encoding="utf-8")
        except FileNotFoundError:
            if self._modified < 0:
                raise
            return  # a build is in progress
        self._modified = modified
        self._text = text.replace("</head>", f"{self._meta_tag}</head>", 1)
        self._etag = f'"{hashlib.sha256(self._text.encode()).hexdigest()[:32]}"'


class PrecompressedFiles(StaticFiles):
    """Static files, sent as `.gz` if that file exists and the client accepts it."""

    def __init__(self, directory: Path, cache: str) -> None:
        super().__init__(directory=directory, check_dir=False)
        self._cache = cache

    async def check_config(self) -> None:
        """Do not fail when the directory is missing: then every file is a 404."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        if path.endswith(GZIP_SUFFIX) or any(part.startswith(".") for part in path.split("/")):
            raise HTTPException(404)
        response = await self._select_encoding(path, scope)
        response.headers["Cache-Control"] = self._cache
        response.headers["Vary"] = "Accept-Encoding"
        response.headers["Content-Security-Policy"] = PAGE_POLICY
        return response

    async def _select_encoding(self, path: str, scope: Scope) -> Response:
        # Without conditional headers, because the response is needed for its content type.
        plain = await super().get_response(path, {**scope, "headers": []})
        if _accepts_gzip(scope):
            with contextlib.suppress(HTTPException):
                compressed = await super().get_response(path + GZIP_SUFFIX, scope)
                if compressed.status_code == HTTPStatus.OK:
                    compressed.headers["Content-Type"] = plain.headers["Content-Type"]
                    compressed.headers["Content-Encoding"] = "gzip"
                return compressed
        return await super().get_response(path, scope)


def _accepts_gzip(scope: Scope) -> bool:
    for encoding in Headers(scope=scope).get("accept-encoding", "").split(","):
        name, _, weight = encoding.replace(" ", "").partition(";")
        if name in ("gzip", "*"):
            return weight not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
