"""What a search finds, in one shape for every service."""

from dataclasses import dataclass
from typing import Any

from crewai_runner.executor.tools.runner import ToolCallFailed

MAX_TITLE_LENGTH = 300
MAX_SNIPPET_LENGTH = 1_000
MAX_URL_LENGTH = 2_000


@dataclass(frozen=True, slots=True)
class SearchResult:
    title: str
    url: str
    snippet: str = ""
    date: str = ""

    def to_json(self) -> dict[str, str]:
        shown = {"title": self.title, "url": self.url, "snippet": self.snippet, "date": self.date}
        return {name: text for name, text in shown.items() if text}


def read_results(entries: object, *, service: str, names: dict[str, str]) -> list[SearchResult]:
    """Return the results in a list of a service's answer; entries without a URL are left out.

    `names` are the members that hold `title`, `url`, `snippet`, `date`. Raises ToolCallFailed when there is
    no list.
    """
    if not isinstance(entries, list):
        raise ToolCallFailed(f"{service} answered without a list of results.")
    found = (_read_result(entry, names) for entry in entries if isinstance(entry, dict))
    return [result for result in found if result is not None]


def _read_result(entry: dict[str, Any], names: dict[str, str]) -> SearchResult | None:
    url = _read_text(entry, names["url"], MAX_URL_LENGTH)
    if not url.startswith(("http://", "https://")):
        return None
    return SearchResult(
        title=_read_text(entry, names["title"], MAX_TITLE_LENGTH) or url,
        url=url,
        snippet=_read_text(entry, names["snippet"], MAX_SNIPPET_LENGTH),
        date=_read_text(entry, names["date"], 40),
    )


def _read_text(entry: dict[str, Any], name: str, max_length: int) -> str:
    value = entry.get(name)
    return " ".join(value[: 4 * max_length].split())[:max_length] if isinstance(value, str) else ""
