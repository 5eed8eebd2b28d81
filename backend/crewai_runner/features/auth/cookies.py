"""The session cookie of a request, and the checks that only requests with a cookie need."""

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection

from crewai_runner.features.auth.browser_sessions import BrowserSessions
from crewai_runner.features.auth.errors import CrossSiteRequest

CSRF_HEADER = "X-CSRF-Token"
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def get_session_cookie(connection: HTTPConnection, browser_sessions: BrowserSessions) -> str | None:
    return connection.cookies.get(browser_sessions.cookie_name)


def check_same_site(connection: HTTPConnection, cookie: str, browser_sessions: BrowserSessions) -> None:
    """Raise CrossSiteRequest unless the dashboard itself sent this request.

    A browser adds the cookie to requests that other sites cause. Changes therefore need the session's CSRF
    token, and WebSockets, which cannot carry it, an `Origin` of this server.
    """
    if connection.scope["type"] == "websocket":
        if not _is_same_origin(connection.headers):
            raise CrossSiteRequest("The Origin of a WebSocket with a session cookie must be this server.")
        return
    if connection.scope["method"] in _SAFE_METHODS:
        return
    if not browser_sessions.is_csrf_token(cookie, connection.headers.get(CSRF_HEADER, "")):
        raise CrossSiteRequest(f"A change with a session cookie needs the session's {CSRF_HEADER} header.")


def _is_same_origin(headers: Headers) -> bool:
    """Browsers send Sec-Fetch-Site to secure origins; elsewhere the Origin is compared with the Host."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    return urlsplit(headers.get("origin", "")).netloc == headers.get("host")
