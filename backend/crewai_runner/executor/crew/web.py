"""Reading one document from the web for a tool, within bounds of size, time and place."""

import asyncio

import httpx

from crewai_runner.core.egress import EgressPolicy, guarded_client
from crewai_runner.executor.crew.page_text import page_text

MOST_BYTES = 1024 * 1024
LONGEST_TEXT = 20_000
SECONDS = 20.0
_MOST_REDIRECTS = 5
_TEXT_TYPES = (
    "text/",
    "application/json",
    "application/xml",
    "application/xhtml",
    "application/rss",
    "application/atom",
)
_HEADERS = {
    "User-Agent": "crewai-runner",
    "Accept": "text/html, text/*;q=0.9, application/json;q=0.9, */*;q=0.1",
    "Accept-Encoding": "identity",
}


class CannotRead(Exception):
    """The document was not read; says why in words for a model."""


async def read_web(url: str, egress: EgressPolicy) -> str:
    """The text of a page or document, shortened to 20,000 characters.

    Raises CannotRead, and UrlRefused when the guard does not let it go there.
    """
    try:
        async with asyncio.timeout(SECONDS), _client(egress) as client, client.stream("GET", url) as response:
            _check(response)
            body = await _body(response)
    except TimeoutError:
        raise CannotRead(f"{url} did not answer within {SECONDS:.0f} seconds.") from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise CannotRead(f"{url} could not be read: {str(error) or type(error).__name__}") from error
    return _shortened(_as_text(body, response))


def _client(egress: EgressPolicy) -> httpx.AsyncClient:
    return guarded_client(
        egress, headers=_HEADERS, timeout=SECONDS, follow_redirects=True, max_redirects=_MOST_REDIRECTS
    )


def _check(response: httpx.Response) -> None:
    if not response.is_success:
        raise CannotRead(f"{response.url} answered with status {response.status_code}.")
    kind = response.headers.get("content-type", "text/plain").lower()
    if not kind.startswith(_TEXT_TYPES) and "+json" not in kind and "+xml" not in kind:
        raise CannotRead(f"{response.url} is not text but {kind.partition(';')[0]}.")
    # Compressed although asked not to: a small answer could unfold into a huge one.
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise CannotRead(f"{response.url} insists on a compressed answer.")


async def _body(response: httpx.Response) -> bytes:
    body = bytearray()
    async for piece in response.aiter_raw():
        body += piece
        if len(body) >= MOST_BYTES:
            break
    return bytes(body[:MOST_BYTES])


def _as_text(body: bytes, response: httpx.Response) -> str:
    try:
        text = body.decode(response.charset_encoding or "utf-8", errors="replace")
    except LookupError:
        text = body.decode("utf-8", errors="replace")
    return page_text(text) if "html" in response.headers.get("content-type", "").lower() else text


def _shortened(text: str) -> str:
    if len(text) <= LONGEST_TEXT:
        return text
    return f"{text[:LONGEST_TEXT]}\n[shortened: the document is longer]"
