"""The HTTP session to a trace collector, whose answers are bounded.

The collector is chosen by the administrator and usually is on a private network, so that the egress policy,
which is for addresses from users, does not apply. What it answers is as untrusted as any answer.
"""

import time
from io import BytesIO

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse

MAX_ANSWER_BYTES = 64 * 1024
"""Of a collector's answer, which is empty or a short message, as it was sent. The rest is not read."""
MAX_ANSWER_SECONDS = 5.0
_PIECE_BYTES = 8192


def collector_session() -> requests.Session:
    """Create a session that reads the beginning of an answer only, and does not decompress it."""
    session = requests.Session()
    session.headers["Accept-Encoding"] = "identity"
    for scheme in ("http://", "https://"):
        session.mount(scheme, _BoundedAdapter())
    return session


class _BoundedAdapter(HTTPAdapter):
    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,  # noqa: ARG002 - the answer is always streamed
        timeout: float | tuple[float | None, float | None] | None = None,
        verify: bool | str = True,
        cert: str | tuple[str, str] | None = None,
        proxies: dict[str, str] | None = None,
    ) -> requests.Response:
        response = super().send(request, True, timeout, verify, cert, proxies)
        connection: HTTPResponse = response.raw
        response.raw = BytesIO(_read_beginning(connection))
        connection.close()
        return response


def _read_beginning(connection: HTTPResponse) -> bytes:
    body, ends_at = b"", time.monotonic() + MAX_ANSWER_SECONDS
    while len(body) < MAX_ANSWER_BYTES and time.monotonic() < ends_at:
        piece = connection.read1(_PIECE_BYTES, decode_content=False)
        if not piece:
            break
        body += piece
    return body[:MAX_ANSWER_BYTES]
