"""`read_page`: the main text of pages, also of hostile ones."""

import asyncio
import time
from typing import Any

import pytest

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.core.secret_mask import TextMask
from crewai_runner.executor.documents import document_reader
from crewai_runner.executor.tools import read_page
from crewai_runner.executor.tools.builtin import bind_builtin
from crewai_runner.executor.tools.calls import ToolCalls
from crewai_runner.executor.tools.runner import ToolCallFailed, ToolEgress
from crewai_runner.executor.tools.runners import make_runners
from tests.support.scripted_service import Reply, ScriptedService

HERE = EgressPolicy(allow_private=True)
ARTICLE = f"""<html><head><title>All about tea</title><script>steal()</script></head><body>
<nav><a href="/x">Menu entry</a></nav>
<article><h2>Kinds</h2><p>{"Tea is drunk hot, with or without milk. " * 8}</p>
<table><tr><th>kind</th><th>minutes</th></tr><tr><td>green</td><td>2</td></tr></table>
<p>More is in <a href="https://tea.example/more">the book</a>. {"It has many pages. " * 8}</p></article>
<footer>Imprint entry</footer></body></html>"""


async def read(reply: Reply, **arguments: Any) -> str:
    with ScriptedService(reply) as service:
        calls = ToolCalls(make_runners(), ToolEgress(HERE, HERE), TextMask(()))
        return await calls.call(bind_builtin("read_page"), {"url": service.url, **arguments})


def html(text: str, charset: str = "; charset=utf-8", encoding: str = "utf-8") -> Reply:
    return Reply(text.encode(encoding), content_type=f"text/html{charset}")


class TestMainText:
    async def test_is_markdown_without_what_surrounds_it(self) -> None:
        text = await read(html(ARTICLE))

        assert text.startswith("All about tea\n\n## Kinds\n")
        assert "| green | 2 |" in text
        assert "[the book](https://tea.example/more)" in text
        for other in ("Menu entry", "Imprint entry", "steal"):
            assert other not in text

    async def test_page_without_an_article_is_all_its_text(self) -> None:
        assert "Just a line" in await read(html("<html><body><div>Just a line</div></body></html>"))

    @pytest.mark.parametrize("charset", ["; charset=latin-1", ""])
    async def test_charset_of_the_header_or_the_page(self, charset: str) -> None:
        page = ARTICLE.replace("<head>", '<head><meta charset="latin-1">').replace("Tea", "Grüner Tee")

        assert "Grüner Tee is drunk hot" in await read(html(page, charset, "latin-1"))

    async def test_other_documents_are_unchanged(self) -> None:
        assert await read(Reply({"a": 1})) == '{"a": 1}'

    async def test_long_page_is_read_in_parts(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(read_page, "SHOWN_CHARACTERS", 4)
        long = Reply(b"abcdefgh", content_type="text/plain")

        assert await read(long) == "abcd\n[4 characters follow; continue with start=4]"
        assert await read(long, start=4) == "efgh"
        assert await read(long, start=8) == "The page has no text after character 8."

    async def test_what_is_not_text_is_refused(self) -> None:
        with pytest.raises(ToolCallFailed, match="not text but image/png"):
            await read(Reply(b"\x89PNG", content_type="image/png"))


class TestHostilePages:
    @pytest.mark.parametrize(
        "page",
        [
            "<p>again</p>" * 40_000,  # superlinear in the parser
            "<div>" * 200_000,
            "<a href='" * 100_000,
            '<!DOCTYPE html [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>' + "&b;" * 10_000,
            "\x00" * 100_000,
            "<table>" * 5_000 + "x",
        ],
        ids=["repeated", "deep", "unclosed", "entities", "nul", "tables"],
    )
    async def test_end_with_a_text_while_the_event_loop_goes_on(self, page: str) -> None:
        longest, running = 0.0, asyncio.create_task(read(html(page)))
        while not running.done():
            before = time.monotonic()
            await asyncio.sleep(0.02)
            longest = max(longest, time.monotonic() - before)

        assert isinstance(running.result(), str)
        assert longest < 1

    async def test_a_stop_ends_the_parser(self, monkeypatch: pytest.MonkeyPatch) -> None:
        started: list[Any] = []
        spawn = document_reader.subprocess.Popen

        def watch(*arguments: Any, **options: Any) -> Any:
            started.append(spawn(*arguments, **options))
            return started[-1]

        monkeypatch.setattr(document_reader.subprocess, "Popen", watch)
        running = asyncio.create_task(read(html("<p>again</p>" * 80_000)))
        while not started:
            await asyncio.sleep(0.02)
        stopped_at = time.monotonic()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        await asyncio.to_thread(started[0].wait, 5)

        assert time.monotonic() - stopped_at < 1

    async def test_external_entities_are_not_read(self) -> None:
        page = (
            '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><html><body><p>&x; text</p></body></html>'
        )

        assert "root:" not in await read(html(page))
