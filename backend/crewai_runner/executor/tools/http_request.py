"""The tool `http_request`: requests to the hosts of connections, with their credentials."""

from typing import Any

import httpx

from crewai_runner.core.bounded_json import parse_json
from crewai_runner.core.url_validation import get_port
from crewai_runner.executor.tool_binding import ToolBinding
from crewai_runner.executor.tools.connections import choose_connection
from crewai_runner.executor.tools.http_auth import authorize, hide_credentials
from crewai_runner.executor.tools.http_exchange import ServiceAnswer, ServiceRequest, exchange
from crewai_runner.executor.tools.runner import ToolCallFailed, ToolContext

_TEXT_TYPES = ("text/", "application/json", "application/xml", "application/yaml")


async def http_request(binding: ToolBinding, arguments: dict[str, Any], context: ToolContext) -> str:
    """Send one request to the host of a connection; return status, type and text of the answer."""
    name, config, secret = choose_connection(binding, arguments.get("connection"))
    method = str(arguments.get("method") or "GET")
    if method not in config["methods"]:
        allowed = ", ".join(config["methods"])
        raise ToolCallFailed(f"The connection {name} does not allow {method}; it allows {allowed}.")
    egress = context.egress.connections
    headers = await authorize(name, config, secret, egress)
    request = ServiceRequest(
        service=name,
        method=method,
        url=join_url(config["base_url"], str(arguments.get("path") or "")),
        headers=headers,
        body=_read_body(arguments.get("body")),
    )
    return hide_credentials(describe_answer(await exchange(request, egress)), headers)


def describe_answer(answer: ServiceAnswer) -> str:
    """Return status, type and text of an answer."""
    kind = answer.content_type.partition(";")[0].strip().lower()
    if answer.body and not (kind.startswith(_TEXT_TYPES) or kind.endswith(("+json", "+xml"))):
        return f"HTTP {answer.status}, {kind or 'unknown type'}: {len(answer.body)} bytes that are not text"
    return f"HTTP {answer.status}, {kind or 'no content'}\n{answer.text}".rstrip()


def _read_body(text: str | None) -> object:
    if not text:
        return None
    try:
        return parse_json(text)
    except ValueError as error:
        raise ToolCallFailed(f"The body is not valid JSON: {error}.") from None


def join_url(base_url: str, path: str) -> str:
    """Return the URL of a path below a base URL. Raises ToolCallFailed for a path that leaves it."""
    base = httpx.URL(base_url.rstrip("/") + "/")
    try:
        url = base.join(path.lstrip("/"))
    except httpx.InvalidURL as error:
        raise ToolCallFailed(f"The path is not valid: {error}.") from None
    is_same = (url.scheme, url.host, get_port(url)) == (base.scheme, base.host, get_port(base))
    segments = url.raw_path.decode("ascii").lower().partition("?")[0].split("/")
    if not is_same or not url.path.startswith(base.path) or _leaves(segments):
        raise ToolCallFailed(f"The path must be below {base_url}, without `..`.")
    if url.userinfo or url.fragment:
        raise ToolCallFailed("The path must not contain credentials or a fragment.")
    return str(url)


def _leaves(segments: list[str]) -> bool:
    """Return whether a server could read a segment as `..`."""
    return any("%2f" in one or "%5c" in one or one.replace("%2e", ".") in {".", ".."} for one in segments)
