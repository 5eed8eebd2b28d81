"""The tool `post_message`: posts to a channel of Slack, Microsoft Teams or Discord by a connection."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.domain.connection import CONNECTION_TITLES, ConnectionKind
from crewai_runner.executor.tool_binding import ToolBinding
from crewai_runner.executor.tools.connections import choose_connection
from crewai_runner.executor.tools.http_exchange import ServiceRequest, Trace, ask_service
from crewai_runner.executor.tools.runner import ToolContext


async def post_message(binding: ToolBinding, arguments: dict[str, Any], context: ToolContext) -> str:
    """Post a text; return that it was posted."""
    name, config, webhook = choose_connection(binding, arguments.get("connection"))
    await send_message(ConnectionKind(config["kind"]), webhook, arguments["text"], context.egress.connections)
    return f"The message was posted with the connection {name}."


async def send_message(
    kind: ConnectionKind, webhook: str, text: str, egress: EgressPolicy, trace: Trace | None = None
) -> None:
    """Post a text to a webhook. Raises ToolCallFailed."""
    request = ServiceRequest(CONNECTION_TITLES[kind], "POST", webhook, body=_BODIES[kind](text))
    await ask_service(request, egress, trace)


def _slack(text: str) -> dict[str, Any]:
    return {"text": text}


def _discord(text: str) -> dict[str, Any]:
    # A model must not notify everyone in a channel.
    return {"content": text, "allowed_mentions": {"parse": []}}


def _teams(text: str) -> dict[str, Any]:
    block = {"type": "TextBlock", "text": text, "wrap": True}
    card = {"type": "AdaptiveCard", "version": "1.4", "body": [block]}
    content_type = "application/vnd.microsoft.card.adaptive"
    return {"type": "message", "attachments": [{"contentType": content_type, "content": card}]}


_BODIES: Mapping[ConnectionKind, Callable[[str], dict[str, Any]]] = MappingProxyType(
    {ConnectionKind.SLACK: _slack, ConnectionKind.DISCORD: _discord, ConnectionKind.TEAMS: _teams}
)
