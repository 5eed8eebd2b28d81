"""Middleware that determines a client's address, and the scheme and host it uses, behind trusted proxies."""

import re
from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from crewai_runner.core.client_address import UNKNOWN, Network, find_client, is_trusted
from crewai_runner.core.errors import BadRequest

_SCOPE_KEY = "crewai_runner.client_address"
_HOST_KEY = "crewai_runner.host"
_HOST = re.compile(r"[A-Za-z0-9._-]{1,253}(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:[0-9]{1,5})?")
_SECURE_SCHEMES = {"http": "https", "websocket": "wss"}


class ClientAddressMiddleware:
    """Must be the outermost middleware. Forwarded headers count only if a trusted proxy sent them."""

    def __init__(self, app: ASGIApp, trusted: Sequence[Network]) -> None:
        self._app, self._trusted = app, tuple(trusted)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in _SECURE_SCHEMES:
            peer, _ = scope.get("client") or (UNKNOWN, 0)
            headers = Headers(scope=scope)
            scope[_SCOPE_KEY] = find_client(peer, headers.getlist("x-forwarded-for"), self._trusted)
            scope[_HOST_KEY] = headers.get("host", "")
            if is_trusted(peer, self._trusted):
                scope[_HOST_KEY] = headers.get("x-forwarded-host", scope[_HOST_KEY])
                if headers.get("x-forwarded-proto") == "https":
                    scope["scheme"] = _SECURE_SCHEMES[scope["type"]]
        await self._app(scope, receive, send)


def get_client_address(scope: Scope) -> str:
    """Return the client's address, or `unknown`: for rate limits, connection limits and logs."""
    address = scope.get(_SCOPE_KEY, UNKNOWN)
    assert isinstance(address, str)  # noqa: S101  # set by the middleware above only
    return address


def get_host(scope: Scope) -> str:
    """Return the host and port that the client uses, to compare with an `Origin`; not for links."""
    host = scope.get(_HOST_KEY, "")
    assert isinstance(host, str)  # noqa: S101  # set by the middleware above only
    return host


async def get_base_url(request: Request) -> str:
    """Return the address of this server that the caller itself uses: for its own response only.

    A dependency. Raises BadRequest for a host that is none.
    """
    host = get_host(request.scope)
    if _HOST.fullmatch(host) is None:
        raise BadRequest("The Host header is not a host name.")
    return f"{request.url.scheme}://{host}"
