"""Downloads a document as text for a tool, with limits on size, time and destination."""

import asyncio
from dataclasses import dataclass

import httpx

from crewai_runner.core.egress import EgressPolicy, guarded_client
from crewai_runner.executor.tools.html_text import html_to_text

MAX_BYTES = 1024 * 1024
MAX_TEXT_LENGTH = 20_000
TIMEOUT_SECONDS = 20.0
_MAX_REDIRECTS = 5
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
}


class FetchFailed(Exception):
    """The document could not be read; the message is for the model."""


@dataclass(frozen=True, slots=True)
class FetchedDocument:
    """A downloaded document, of which `body` holds at most the first MB."""

    body: bytes
    content_type: str
    charset: str | None
    is_cut: bool

    @property
    def is_html(self) -> bool:
        return "html" in self.content_type

    @property
    def text(self) -> str:
        try:
            return self.body.decode(self.charset or "utf-8", errors="replace")
        except LookupError:
            return self.body.decode("utf-8", errors="replace")

    @property
    def utf8_body(self) -> bytes:
        """The body in UTF-8; as it was sent if only the document itself says what its charset is."""
        return self.body if self.charset is None else self.text.encode()


async def fetch_document(url: str, egress: EgressPolicy) -> FetchedDocument:
    """Download a page or document of text.

    Raises FetchFailed, and UrlRefused when `egress` does not allow the address.
    """
    try:
        async with (
            asyncio.timeout(TIMEOUT_SECONDS),
            _create_client(egress) as client,
            client.stream("GET", url) as response,
        ):
            _check(response)
            body = await _read_body(response)
    except TimeoutError:
        raise FetchFailed(f"{url} did not respond within {TIMEOUT_SECONDS:.0f} seconds.") from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise FetchFailed(f"{url} could not be read: {str(error) or type(error).__name__}") from error
    content_type = response.headers.get("content-type", "").lower()
    return FetchedDocument(
        body[:MAX_BYTES], content_type, response.charset_encoding, is_cut=len(body) >= MAX_BYTES
    )


async def fetch_text(url: str, egress: EgressPolicy) -> str:
    """Return the text of a page or document, truncated to 20,000 characters. Raises as `fetch_document`."""
    document = await fetch_document(url, egress)
    text = await asyncio.to_thread(html_to_text, document.text) if document.is_html else document.text
    if len(text) <= MAX_TEXT_LENGTH:
        return text
    return f"{text[:MAX_TEXT_LENGTH]}\n[truncated: the document is longer]"


def _create_client(egress: EgressPolicy) -> httpx.AsyncClient:
    return guarded_client(
        egress,
        headers=_HEADERS,
        timeout=TIMEOUT_SECONDS,
        follow_redirects=True,
        max_redirects=_MAX_REDIRECTS,
    )


def _check(response: httpx.Response) -> None:
    if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
        raise FetchFailed(
            f"{response.url} accepts no more requests for now (HTTP 429): wait, or go on without it."
        )
    if not response.is_success:
        raise FetchFailed(f"{response.url} returned status {response.status_code}.")
    content_type = response.headers.get("content-type", "text/plain").lower()
    if (
        not content_type.startswith(_TEXT_TYPES)
        and "+json" not in content_type
        and "+xml" not in content_type
    ):
        raise FetchFailed(f"{response.url} is not text but {content_type.partition(';')[0]}.")


async def _read_body(response: httpx.Response) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) >= MAX_BYTES:
            break
    return bytes(body)
