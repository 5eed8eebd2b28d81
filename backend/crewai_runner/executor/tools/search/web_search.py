"""The tool `web_search`: asks the search service of the workspace's connection."""

import json
from typing import Any

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.domain.connection import ConnectionKind
from crewai_runner.executor.tool_binding import ToolBinding
from crewai_runner.executor.tools.http_exchange import Trace, ask_service
from crewai_runner.executor.tools.runner import ToolContext
from crewai_runner.executor.tools.search.results import SearchResult
from crewai_runner.executor.tools.search.services import SearchQuery, make_request, read_answer

DEFAULT_RESULTS = 8


async def web_search(binding: ToolBinding, arguments: dict[str, Any], context: ToolContext) -> str:
    """Return the results as JSON: `{"query", "results": [{"title", "url", "snippet", "date"}]}`."""
    query = SearchQuery(arguments["query"], int(arguments.get("max_results") or DEFAULT_RESULTS))
    key = binding.secrets.get("secret")
    found = await search(
        ConnectionKind(binding.config["kind"]),
        binding.config["base_url"],
        "" if key is None else key.get_secret_value(),
        query,
        context.egress.connections,
    )
    results = [result.to_json() for result in found]
    return json.dumps({"query": query.text, "results": results}, ensure_ascii=False)


async def search(
    kind: ConnectionKind,
    base_url: str | None,
    key: str,
    query: SearchQuery,
    egress: EgressPolicy,
    trace: Trace | None = None,
) -> list[SearchResult]:
    """Ask a search service. Raises ToolCallFailed."""
    request = make_request(kind, base_url, key, query)
    answer = await ask_service(request, egress, trace)
    found = read_answer(kind, answer.read_json(request.service))
    return found[: query.max_results]
