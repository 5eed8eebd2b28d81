"""The session cookie of a request, and the checks that only requests with a cookie need."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from crewai_runner.features.auth.browser_sessions import BrowserSessions, Client
from crewai_runner.features.auth.errors import CrossSiteRequest
from crewai_runner.http.client_address import get_client_address, get_host

CSRF_HEADER = "X-CSRF-Token"
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def get_session_cookie(connection: HTTPConnection, browser_sessions: BrowserSessions) -> str | None:
    return connection.cookies.get(browser_sessions.cookie_name)


def get_client(connection: HTTPConnection) -> Client:
    """Return where a request comes from, for the list of sessions."""
    address = get_client_address(connection.scope)
    return Client(address, connection.headers.get("user-agent", ""))


def check_not_cross_site(connection: HTTPConnection) -> None:
    """Raise CrossSiteRequest if a page of another site sent this request without credentials.

    It keeps other sites from signing a visitor in to an account of theirs.
    """
    if connection.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise CrossSiteRequest("Sign in on the pages of this server.")


def check_same_site(connection: HTTPConnection, cookie: str, browser_sessions: BrowserSessions) -> None:
    """Raise CrossSiteRequest unless the dashboard itself sent this request.

    A browser adds the cookie to requests that other sites cause. Changes therefore need the session's CSRF
    token, and WebSockets, which cannot carry it, an `Origin` of this server.
    """
    if connection.scope["type"] == "websocket":
        if not _is_same_origin(connection):
            raise CrossSiteRequest("The Origin of a WebSocket with a session cookie must be this server.")
        return
    if connection.scope["method"] in _SAFE_METHODS:
        return
    if not browser_sessions.is_csrf_token(cookie, connection.headers.get(CSRF_HEADER, "")):
        raise CrossSiteRequest(f"A change with a session cookie needs the session's {CSRF_HEADER} header.")


def check_page_origin(connection: HTTPConnection, allowed: Sequence[str]) -> None:
    """Raise CrossSiteRequest if a page of another site opens this WebSocket.

    Unlike requests with an Authorization header, which CORS stops in the browser, every page may open a
    WebSocket and offer `bearer.<guess>`: its visitors would exhaust their limit of failed sign-ins. Clients
    other than browsers send no `Origin`.
    """
    origin = connection.headers.get("origin")
    if connection.scope["type"] != "websocket" or origin is None or origin in allowed or "*" in allowed:
        return
    if not _is_same_origin(connection):
        raise CrossSiteRequest("Pages of this origin may not open WebSockets; see CORS_ORIGINS.")


def check_request_origin(connection: HTTPConnection, allowed: Sequence[str]) -> None:
    """Raise CrossSiteRequest if a page of an origin that is not allowed sent this request."""
    origin = connection.headers.get("origin")
    if origin is None or origin in allowed or "*" in allowed or _is_same_origin(connection):
        return
    raise CrossSiteRequest("Pages of this origin may not send this request; see CORS_ORIGINS.")


def _is_same_origin(connection: HTTPConnection) -> bool:
    """Browsers send Sec-Fetch-Site to secure origins; elsewhere the Origin is compared with the Host."""
    site = connection.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = urlsplit(connection.headers.get("origin", "")).netloc
    return origin != "" and origin == get_host(connection.scope)
