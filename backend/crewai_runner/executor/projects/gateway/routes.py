"""What a request asks for, read from its method and path. Pure.

The end of the path decides, whatever base URL the code was given. Nothing of the path or of the named host is
part of a URL that the gateway calls.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from urllib.parse import parse_qs, unquote


class WireProtocol(StrEnum):
    """A protocol in which models are called."""

    OPENAI = "openai"
    ANTHROPIC = "anthropic"
    GEMINI = "gemini"
    OLLAMA = "ollama"


class Operation(StrEnum):
    CHAT = "chat"
    GENERATE = "generate"
    """Ollama's completion of a prompt."""
    RESPONSES = "responses"
    EMBED = "embed"
    EMBED_ONE = "embed-one"
    """The embedding of a single text, as Gemini's `embedContent` and Ollama's `/api/embeddings` return it."""
    LIST_MODELS = "list-models"
    SHOW_MODEL = "show-model"
    VERSION = "version"


METERED = frozenset(Operation) - {Operation.LIST_MODELS, Operation.SHOW_MODEL, Operation.VERSION}
"""The operations that call a model."""


@dataclass(frozen=True, slots=True)
class Route:
    """`model`, `streams` and `key` are what the path or query says; None if they say nothing.

    `path` is without the query, which may hold a key.
    """

    protocol: WireProtocol
    operation: Operation | None
    """None: the gateway does not support the request."""
    path: str = "/"
    host: str | None = None
    """The provider that the code meant to call."""
    model: str | None = None
    streams: bool | None = None
    key: str | None = None


_HOST = re.compile(r"/_h/(?P<host>[A-Za-z0-9._:\[\]-]{1,255})(?P<path>/.*)?", re.DOTALL)
_GEMINI = re.compile(r"/(?:models|tunedModels)/(?P<model>[^/:]{1,256}):(?P<method>[A-Za-z]{1,40})\Z")
_DEPLOYMENT = re.compile(r"/deployments/(?P<model>[^/]{1,256})/")
_ONE_MODEL = re.compile(r"/models/(?P<model>[^:]{1,256})\Z")
_GEMINI_METHODS: Mapping[str, tuple[Operation, bool]] = MappingProxyType(
    {
        "generateContent": (Operation.CHAT, False),
        "streamGenerateContent": (Operation.CHAT, True),
        "batchEmbedContents": (Operation.EMBED, False),
        "embedContent": (Operation.EMBED_ONE, False),
    }
)
_POST_ENDS: tuple[tuple[str, WireProtocol, Operation], ...] = (
    ("/chat/completions", WireProtocol.OPENAI, Operation.CHAT),
    ("/responses", WireProtocol.OPENAI, Operation.RESPONSES),
    ("/api/embeddings", WireProtocol.OLLAMA, Operation.EMBED_ONE),
    ("/api/embed", WireProtocol.OLLAMA, Operation.EMBED),
    ("/embeddings", WireProtocol.OPENAI, Operation.EMBED),
    ("/v1/messages", WireProtocol.ANTHROPIC, Operation.CHAT),
    ("/api/chat", WireProtocol.OLLAMA, Operation.CHAT),
    ("/api/generate", WireProtocol.OLLAMA, Operation.GENERATE),
    ("/api/show", WireProtocol.OLLAMA, Operation.SHOW_MODEL),
)
_GET_ENDS: tuple[tuple[str, WireProtocol, Operation], ...] = (
    ("/api/tags", WireProtocol.OLLAMA, Operation.LIST_MODELS),
    ("/api/version", WireProtocol.OLLAMA, Operation.VERSION),
)
_PROTOCOL_SIGNS: tuple[tuple[str, WireProtocol], ...] = (
    ("anthropic", WireProtocol.ANTHROPIC),
    ("googleapis", WireProtocol.GEMINI),
    ("/v1beta", WireProtocol.GEMINI),
    (":11434", WireProtocol.OLLAMA),
    ("/api/", WireProtocol.OLLAMA),
)


def parse_route(method: str, target: str, *, has_anthropic_header: bool = False) -> Route:
    """Return what a request asks for; its operation is None if the gateway does not support it."""
    path, _, query = target.partition("?")
    params = parse_qs(query, max_num_fields=50) if len(query) <= 8192 else {}
    key = params.get("key", [None])[0]
    host = None
    if named := _HOST.fullmatch(path):
        host, path = named["host"].lower(), named["path"] or "/"
    path = path.rstrip("/") or "/"
    guess = WireProtocol.ANTHROPIC if has_anthropic_header else _guess_protocol(host, path)
    if method == "POST":
        protocol, operation, model, streams = _parse_post(path, guess)
    elif method in {"GET", "HEAD"}:
        protocol, operation, model = _parse_get(path, guess)
        streams = None
    else:
        protocol, operation, model, streams = guess, None, None, None
    if protocol is WireProtocol.GEMINI and streams and params.get("alt") != ["sse"]:
        operation = None  # a stream that is one JSON array
    return Route(protocol, operation, path, host, model, streams, key)


def _parse_post(
    path: str, guess: WireProtocol
) -> tuple[WireProtocol, Operation | None, str | None, bool | None]:
    if match := _GEMINI.search(path):
        operation, streams = _GEMINI_METHODS.get(match["method"], (None, None))
        return WireProtocol.GEMINI, operation, unquote(match["model"]), streams
    deployment = _DEPLOYMENT.search(path)
    for end, protocol, operation in _POST_ENDS:
        if path.endswith(end):
            return protocol, operation, unquote(deployment["model"]) if deployment else None, None
    return guess, None, None, None


def _parse_get(path: str, guess: WireProtocol) -> tuple[WireProtocol, Operation | None, str | None]:
    for end, protocol, operation in _GET_ENDS:
        if path.endswith(end):
            return protocol, operation, None
    if path.endswith("/models"):
        return guess, Operation.LIST_MODELS, None
    if match := _ONE_MODEL.search(path):
        return guess, Operation.SHOW_MODEL, unquote(match["model"])
    return guess, None, None


def _guess_protocol(host: str | None, path: str) -> WireProtocol:
    place = f"{host or ''}{path}"
    if "/openai/" in path or "/api/v1" in path:
        return WireProtocol.OPENAI
    return next((protocol for sign, protocol in _PROTOCOL_SIGNS if sign in place), WireProtocol.OPENAI)
