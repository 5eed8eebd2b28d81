"""Swagger UI and ReDoc, served from local files without external hosts or inline scripts."""

from collections.abc import Mapping
from importlib.resources import files

from fastapi import APIRouter, FastAPI
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response

ASSETS: Mapping[str, str] = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "redoc.standalone.js": "text/javascript",
    "favicon.png": "image/png",
}
# Both viewers set inline styles from scripts.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
CACHED = {"Cache-Control": "public, max-age=86400"}
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="/docs/assets/favicon.png">
{head}
</head>
<body>
<div id="viewer"></div>
{body}
</body>
</html>
"""
SWAGGER_START = """\
window.ui = SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#viewer",
  deepLinking: true,
  displayRequestDuration: true,
  presets: [SwaggerUIBundle.presets.apis, SwaggerUIBundle.SwaggerUIStandalonePreset],
});
"""
REDOC_START = """\
Redoc.init("/openapi.json", {disableSearch: true}, document.getElementById("viewer"));
"""
STARTS: Mapping[str, str] = {"swagger-start.js": SWAGGER_START, "redoc-start.js": REDOC_START}

router = APIRouter(include_in_schema=False)


def _render_page(title: str, head: str, *scripts: str) -> HTMLResponse:
    body = "\n".join(f'<script src="/docs/assets/{script}"></script>' for script in scripts)
    text = PAGE.format(title=title, head=head, body=body)
    return HTMLResponse(text, headers={"Content-Security-Policy": POLICY})


@router.get("/docs")
async def show_swagger() -> HTMLResponse:
    """Swagger UI. Press Authorize and enter the API key to send requests."""
    style = '<link rel="stylesheet" href="/docs/assets/swagger-ui.css">'
    return _render_page("CrewAI Runner API", style, "swagger-ui-bundle.js", "swagger-start.js")


@router.get("/redoc")
async def show_redoc() -> HTMLResponse:
    """ReDoc."""
    return _render_page("CrewAI Runner API", "", "redoc.standalone.js", "redoc-start.js")


@router.get("/docs/assets/{name}")
def send_asset(name: str) -> Response:
    """Return a file of the viewers."""
    if name in STARTS:
        return Response(STARTS[name], media_type="text/javascript", headers=CACHED)
    if name not in ASSETS:
        raise HTTPException(404)
    content = files("fastapi_offline").joinpath("static", name).read_bytes()
    return Response(content, media_type=ASSETS[name], headers=CACHED)


def install(app: FastAPI) -> None:
    """Add the viewers to an app whose own `docs_url` and `redoc_url` are disabled."""
    app.include_router(router)
