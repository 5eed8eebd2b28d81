"""The models that the code can ask for, in the shape of each protocol."""

from collections.abc import Sequence
from typing import Any

from crewai_runner.executor.projects.gateway.refusals import GatewayRefusal, RefusalKind
from crewai_runner.executor.projects.gateway.routes import Operation, Route, WireProtocol

_DATE = "2025-01-01T00:00:00Z"
_OLLAMA_VERSION = "0.12.0"


def describe_models(route: Route, names: Sequence[str], asked: str | None) -> dict[str, Any]:
    """Return the answer to a request about models. Raises GatewayRefusal for a model that is not known."""
    if route.operation is Operation.VERSION:
        return {"version": _OLLAMA_VERSION}
    if route.operation is Operation.LIST_MODELS:
        return _list(route.protocol, names)
    if route.protocol is WireProtocol.OLLAMA:
        return {"details": {}, "model_info": {}, "capabilities": ["completion", "tools"]}
    if asked not in names:
        raise GatewayRefusal(RefusalKind.NOT_FOUND, f"The model '{(asked or '')[:256]}' is not known here.")
    return _card(route.protocol, str(asked))


def _list(protocol: WireProtocol, names: Sequence[str]) -> dict[str, Any]:
    cards = [_card(protocol, name) for name in names]
    match protocol:
        case WireProtocol.ANTHROPIC:
            ends = {"first_id": names[0] if names else None, "last_id": names[-1] if names else None}
            return {"data": cards, "has_more": False, **ends}
        case WireProtocol.GEMINI | WireProtocol.OLLAMA:
            return {"models": cards}
        case _:
            return {"object": "list", "data": cards}


def _card(protocol: WireProtocol, name: str) -> dict[str, Any]:
    match protocol:
        case WireProtocol.ANTHROPIC:
            return {"type": "model", "id": name, "display_name": name, "created_at": _DATE}
        case WireProtocol.GEMINI:
            methods = ["generateContent", "streamGenerateContent"]
            return {"name": f"models/{name}", "displayName": name, "supportedGenerationMethods": methods}
        case WireProtocol.OLLAMA:
            return {"name": name, "model": name, "modified_at": _DATE, "size": 0, "digest": "", "details": {}}
        case _:
            return {"id": name, "object": "model", "created": 0, "owned_by": "crewai-runner"}
