"""The tool that downloads documents."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crewai_runner.core.egress import EgressPolicy, UrlRefused
from crewai_runner.executor.tools import http_fetch
from crewai_runner.executor.tools.html_text import html_to_text
from tests.support.machine_speed import cpu_limit
from tests.support.servers import server

ALLOW_PRIVATE = EgressPolicy(allow_private=True)
PUBLIC_ONLY = EgressPolicy(allow_private=False)


@asynccontextmanager
async def web_server(
    head: str, body: bytes = b"", *, endless: bytes = b""
) -> AsyncIterator[tuple[str, list[str]]]:
    requests: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(f"HTTP/1.1 {head}\r\nConnection: close\r\n\r\n".encode() + body)
        with contextlib.suppress(ConnectionError):
            while endless:
                writer.write(endless)
                await writer.drain()
            await writer.drain()
            writer.close()
            await writer.wait_closed()

    async with server(serve) as port:
        yield f"http://127.0.0.1:{port}/page", requests


class TestFetch:
    async def test_html_is_converted_to_text(self) -> None:
        head = "<head><title>News</title><style>p{}</style></head>"
        page = f"<html>{head}<body><script>steal()</script><h1>Big</h1><p>A &amp; B</p></body>"
        async with web_server("200 OK\r\nContent-Type: text/html; charset=utf-8", page.encode()) as (
            url,
            requests,
        ):
            assert await http_fetch.fetch_text(url, ALLOW_PRIVATE) == "News\nBig\nA & B"

        assert "User-Agent: crewai-runner" in requests[0]
        assert "cookie" not in requests[0].lower()

    async def test_json_is_unchanged(self) -> None:
        async with web_server("200 OK\r\nContent-Type: application/json", b'{"a": 1}') as (url, _):
            assert await http_fetch.fetch_text(url, ALLOW_PRIVATE) == '{"a": 1}'

    async def test_charset(self) -> None:
        async with web_server(
            "200 OK\r\nContent-Type: text/plain; charset=latin-1", "grün".encode("latin-1")
        ) as (url, _):
            assert await http_fetch.fetch_text(url, ALLOW_PRIVATE) == "grün"

    async def test_unknown_charset(self) -> None:
        async with web_server("200 OK\r\nContent-Type: text/plain; charset=klingon", b"plain") as (url, _):
            assert await http_fetch.fetch_text(url, ALLOW_PRIVATE) == "plain"

    @pytest.mark.parametrize(
        ("head", "message"),
        [
            ("404 Not Found", "returned status 404"),
            ("500 Oops", "returned status 500"),
            ("200 OK\r\nContent-Type: image/png", "not text but image/png"),
            ("200 OK\r\nContent-Type: application/octet-stream", "not text"),
            ("200 OK\r\nContent-Type: text/plain\r\nContent-Encoding: br", "not accepted"),
            ("302 Found\r\nLocation: /page", "could not be read"),
        ],
    )
    async def test_unreadable_responses(self, head: str, message: str) -> None:
        async with web_server(head) as (url, _):
            with pytest.raises(http_fetch.FetchFailed, match=message):
                await http_fetch.fetch_text(url, ALLOW_PRIVATE)

    async def test_endless_document_is_truncated(self) -> None:
        async with web_server("200 OK\r\nContent-Type: text/plain", endless=b"x" * 65536) as (url, _):
            text = await http_fetch.fetch_text(url, ALLOW_PRIVATE)

        assert text == "x" * http_fetch.MAX_TEXT_LENGTH + "\n[truncated: the document is longer]"

    async def test_timeout(self, monkeypatch: pytest.MonkeyPatch) -> None:
        async def listen(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
            await reader.read()

        monkeypatch.setattr(http_fetch, "TIMEOUT_SECONDS", 0.1)
        async with server(listen) as port:
            with pytest.raises(http_fetch.FetchFailed, match=r"did not respond|could not be read"):
                await http_fetch.fetch_text(f"http://127.0.0.1:{port}/", ALLOW_PRIVATE)


class TestEgressPolicy:
    @pytest.mark.parametrize(
        "url",
        [
            "http://127.0.0.1:1/",
            "http://localhost/",
            "http://169.254.169.254/",
            "file:///etc/passwd",
            "http://[::1]/",
        ],
    )
    async def test_refuses_private_addresses(self, url: str) -> None:
        with pytest.raises(UrlRefused):
            await http_fetch.fetch_text(url, PUBLIC_ONLY)

    async def test_applies_to_redirects(self) -> None:
        async with web_server("302 Found\r\nLocation: http://169.254.169.254/latest/meta-data/") as (
            url,
            requests,
        ):
            with pytest.raises(UrlRefused, match="metadata"):
                await http_fetch.fetch_text(url, ALLOW_PRIVATE)

        assert len(requests) == 1


class TestHtmlToText:
    @pytest.mark.parametrize(
        ("page", "text"),
        [
            ("plain", "plain"),
            ("<p>one<p>two", "one\ntwo"),
            ("a<br>b<br/>c", "a\nb\nc"),
            ("<b>bold</b> and <i>thin</i>", "bold and thin"),
            ("<!-- hidden --><p>seen</p>", "seen"),
            ("seen<!-- never closed <p>hidden", "seen"),
            ("seen<script>never closed", "seen"),
            ("<SCRIPT>x</SCRIPT>seen", "seen"),
            ("<script>'<p>'</script>seen", "seen"),
            ("İİİİİİİİ<script>hidden</script>seen", "İİİİİİİİseen"),
            ("<style>hidden</\N{LATIN SMALL LETTER LONG S}tyle></style>seen", "seen"),
            ("<!DOCTYPE html><ul><li>1</li><li>2</li></ul>", "1\n2"),
            ("1 &lt; 2 &#38; 3 > 2", "1 < 2 & 3 > 2"),
            ("  much \t space  ", "much space"),
            ("<", "<"),
            ("", ""),
        ],
    )
    def test_visible_text(self, page: str, text: str) -> None:
        assert html_to_text(page) == text

    @pytest.mark.parametrize(
        "piece",
        ["<", "<!--", "<a ", "<script>", "</", "&", "<p", "<!", "<svg><", "<svg></style>", "&#", "<a b='"],
    )
    def test_hostile_page_takes_linear_time(self, piece: str) -> None:
        with cpu_limit(1600):
            html_to_text(piece * (http_fetch.MAX_BYTES // len(piece)))

    @settings(max_examples=200, deadline=None)
    @given(st.text(max_size=200))
    def test_any_input(self, page: str) -> None:
        assert isinstance(html_to_text(page), str)
