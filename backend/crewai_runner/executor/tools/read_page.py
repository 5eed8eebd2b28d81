"""The tool `read_page`: the main text of a web page as Markdown."""

import asyncio
from typing import Any

from crewai_runner.executor.documents.document_reader import DocumentKind, DocumentUnreadable, read_text
from crewai_runner.executor.tool_binding import ToolBinding
from crewai_runner.executor.tools.html_text import html_to_text
from crewai_runner.executor.tools.http_fetch import TIMEOUT_SECONDS, FetchedDocument, fetch_document
from crewai_runner.executor.tools.runner import ToolContext

SHOWN_CHARACTERS = 20_000
"""What one call shows of a page; the next call continues."""
MAX_PAGE_CHARACTERS = 1_000_000
PARSER_CPU_SECONDS = 5
PAGE_SECONDS = TIMEOUT_SECONDS + 60.0


async def read_page(_binding: ToolBinding, arguments: dict[str, Any], context: ToolContext) -> str:
    """Return the text of a page from `start` on. Raises FetchFailed and UrlRefused."""
    document = await fetch_document(arguments["url"], context.egress.pages)
    text = await _extract(document) if document.is_html else document.text
    start = arguments.get("start") or 0
    shown, follow = text[start : start + SHOWN_CHARACTERS], len(text) - start - SHOWN_CHARACTERS
    if not shown:
        return f"The page has no text after character {start}." if start else "The page has no text."
    if follow > 0:
        return f"{shown}\n[{follow} characters follow; continue with start={start + SHOWN_CHARACTERS}]"
    return f"{shown}\n[truncated: the document is longer]" if document.is_cut else shown


async def _extract(document: FetchedDocument) -> str:
    """Return the main text, or all visible text of a page that the parser cannot read within its limits."""
    try:
        page = await read_text(
            document.utf8_body, DocumentKind.HTML, MAX_PAGE_CHARACTERS, cpu_seconds=PARSER_CPU_SECONDS
        )
    except DocumentUnreadable:
        return await asyncio.to_thread(html_to_text, document.text)
    return page.text
