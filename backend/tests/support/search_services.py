"""What the search services answer, in the shapes of their APIs, and bindings that call them."""

from dataclasses import replace
from typing import Any

from pydantic import SecretStr

from crewai_runner.domain.connection import ConnectionKind
from crewai_runner.executor.tool_binding import ToolBinding
from crewai_runner.executor.tools.builtin import bind_builtin

KEY = "search-canary-5f2c9e81d07b4a36"
RESULTS = [
    {"title": "Tea", "url": "https://tea.example/", "snippet": "About tea.", "date": "2026-01-01"},
    {"title": "Coffee", "url": "https://coffee.example/", "snippet": "About coffee."},
]


def _rename(names: dict[str, str]) -> list[dict[str, str]]:
    return [{names[name]: text for name, text in result.items()} for result in RESULTS]


ANSWERS: dict[ConnectionKind, Any] = {
    ConnectionKind.SERPER: {
        "searchParameters": {"q": "tea", "type": "search"},
        "organic": _rename({"title": "title", "url": "link", "snippet": "snippet", "date": "date"}),
        "credits": 1,
    },
    ConnectionKind.TAVILY: {
        "query": "tea",
        "results": _rename({"title": "title", "url": "url", "snippet": "content", "date": "published_date"}),
    },
    ConnectionKind.BRAVE: {
        "type": "search",
        "web": {
            "results": _rename({"title": "title", "url": "url", "snippet": "description", "date": "page_age"})
        },
    },
    ConnectionKind.EXA: {
        "requestId": "r",
        "results": _rename({"title": "title", "url": "url", "snippet": "summary", "date": "publishedDate"}),
    },
    ConnectionKind.SEARXNG: {
        "query": "tea",
        "results": _rename({"title": "title", "url": "url", "snippet": "content", "date": "publishedDate"}),
    },
}


def bind_search(kind: ConnectionKind, url: str, **changes: Any) -> ToolBinding:
    """Return the binding of `web_search` for a service at this address."""
    config = {"kind": kind.value, "base_url": url, "connection": "Search"}
    binding = replace(bind_builtin("web_search"), config=config, secrets={"secret": SecretStr(KEY)})
    return replace(binding, **changes)
