"""The protocols of the search services."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from crewai_runner.domain.connection import CONNECTION_TITLES, DEFAULT_CONNECTION_URLS, ConnectionKind
from crewai_runner.executor.tools.http_exchange import ServiceRequest
from crewai_runner.executor.tools.search.results import SearchResult, read_results


@dataclass(frozen=True, slots=True)
class SearchQuery:
    text: str
    max_results: int


@dataclass(frozen=True, slots=True)
class SearchService:
    """How one service is asked, and where its results are."""

    request: Callable[[str, str, SearchQuery], ServiceRequest]
    """Of base URL, key and query."""
    entries: Callable[[Any], object]
    names: dict[str, str]


def make_request(kind: ConnectionKind, base_url: str | None, key: str, query: SearchQuery) -> ServiceRequest:
    """Return the request of a search."""
    url = (base_url or DEFAULT_CONNECTION_URLS.get(kind, "")).rstrip("/")
    return _SERVICES[kind].request(url, key, query)


def read_answer(kind: ConnectionKind, answer: object) -> list[SearchResult]:
    """Return the results in the JSON answer of a service. Raises ToolCallFailed."""
    service = _SERVICES[kind]
    return read_results(service.entries(answer), service=CONNECTION_TITLES[kind], names=service.names)


def _serper(url: str, key: str, query: SearchQuery) -> ServiceRequest:
    body = {"q": query.text, "num": query.max_results}
    return _post(ConnectionKind.SERPER, f"{url}/search", {"X-API-KEY": key}, body)


def _tavily(url: str, key: str, query: SearchQuery) -> ServiceRequest:
    body = {"query": query.text, "max_results": query.max_results}
    return _post(ConnectionKind.TAVILY, f"{url}/search", {"Authorization": f"Bearer {key}"}, body)


def _exa(url: str, key: str, query: SearchQuery) -> ServiceRequest:
    body = {"query": query.text, "numResults": query.max_results, "contents": {"summary": True}}
    return _post(ConnectionKind.EXA, f"{url}/search", {"x-api-key": key}, body)


def _brave(url: str, key: str, query: SearchQuery) -> ServiceRequest:
    return ServiceRequest(
        CONNECTION_TITLES[ConnectionKind.BRAVE],
        "GET",
        f"{url}/res/v1/web/search",
        {"X-Subscription-Token": key, "Accept": "application/json"},
        {"q": query.text, "count": query.max_results},
    )


def _searxng(url: str, key: str, query: SearchQuery) -> ServiceRequest:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    params: dict[str, str | int] = {"q": query.text, "format": "json"}
    service = CONNECTION_TITLES[ConnectionKind.SEARXNG]
    return ServiceRequest(service, "GET", f"{url}/search", headers, params)


def _post(kind: ConnectionKind, url: str, headers: dict[str, str], body: dict[str, Any]) -> ServiceRequest:
    return ServiceRequest(CONNECTION_TITLES[kind], "POST", url, headers, body=body)


def _member(*path: str) -> Callable[[Any], object]:
    """Return a function that follows names into an answer; None where there is nothing."""

    def read(answer: Any) -> object:
        for name in path:
            answer = answer.get(name) if isinstance(answer, dict) else None
        found: object = answer
        return found

    return read


def _names(title: str, url: str, snippet: str, date: str) -> dict[str, str]:
    return {"title": title, "url": url, "snippet": snippet, "date": date}


_SERVICES: Mapping[ConnectionKind, SearchService] = MappingProxyType(
    {
        ConnectionKind.SERPER: SearchService(
            _serper, _member("organic"), _names("title", "link", "snippet", "date")
        ),
        ConnectionKind.TAVILY: SearchService(
            _tavily, _member("results"), _names("title", "url", "content", "published_date")
        ),
        ConnectionKind.BRAVE: SearchService(
            _brave, _member("web", "results"), _names("title", "url", "description", "page_age")
        ),
        ConnectionKind.EXA: SearchService(
            _exa, _member("results"), _names("title", "url", "summary", "publishedDate")
        ),
        ConnectionKind.SEARXNG: SearchService(
            _searxng, _member("results"), _names("title", "url", "content", "publishedDate")
        ),
    }
)
