"""Resolve the model names that workflows use. Pure."""

import difflib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from crewai_runner.domain.provider import ModelKind, ProviderType

MAX_SUGGESTIONS = 3


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """The fields of a registered model that are needed to resolve names."""

    id: str
    name: str
    type: ModelKind
    provider_model: str
    default: bool
    provider_name: str
    provider_type: ProviderType
    provider_id: str = ""

    def list_aliases(self) -> Iterator[str]:
        """Yield `provider/provider_model` and `provider/name`, by the provider's name, then by its type."""
        for provider in (self.provider_name, self.provider_type.value):
            yield f"{provider}/{self.provider_model}"
            yield f"{provider}/{self.name}"


ALIASES_PER_MODEL = 4


class ModelIndex:
    """The registered models of a workspace, by name and by `provider/model`."""

    def __init__(self, entries: Iterable[ModelEntry]) -> None:
        ordered = sorted(entries, key=lambda entry: (not entry.default, entry.id))
        self._by_name = {entry.name: entry for entry in ordered}
        self._by_alias: dict[str, ModelEntry] = {}
        # Precedence of equal aliases: by provider name, by provider type, then the default, then the oldest.
        for position in range(ALIASES_PER_MODEL):
            for entry in ordered:
                self._by_alias.setdefault(list(entry.list_aliases())[position], entry)

    def find(self, name: str, kind: ModelKind | None = None) -> ModelEntry | None:
        """Return the model with this name or alias; None if there is none of this kind."""
        entry = self._by_name.get(name) or self._by_alias.get(name)
        return entry if entry is not None and kind in (None, entry.type) else None

    def find_default_name(self, kind: ModelKind) -> str | None:
        """Return the name of the default model of a kind; None if there is none."""
        entries = self._by_name.values()
        return next((entry.name for entry in entries if entry.default and entry.type is kind), None)

    def list_names(self, kind: ModelKind) -> frozenset[str]:
        """Return all names and aliases of models of a kind."""
        entries = {**self._by_alias, **self._by_name}
        return frozenset(name for name, entry in entries.items() if entry.type is kind)

    def suggest(self, name: str, kind: ModelKind | None = None) -> list[str]:
        """Return the names of similar models, the most similar first."""
        names = {
            entry.name.casefold(): entry.name
            for entry in self._by_name.values()
            if kind in (None, entry.type)
        }
        bare_name = name.rsplit("/", 1)[-1].casefold()
        similar = [
            *difflib.get_close_matches(name.casefold(), names, MAX_SUGGESTIONS),
            *difflib.get_close_matches(bare_name, names, MAX_SUGGESTIONS),
            *(known for known in names if bare_name in known or known in bare_name),
        ]
        return [names[known] for known in dict.fromkeys(similar)][:MAX_SUGGESTIONS]


def strip_provider_prefix(name: str, providers: Sequence[str]) -> str:
    """Turn `openai/gpt-4o` into `gpt-4o` if `openai` is one of the providers; keep other names unchanged."""
    prefix = next((f"{provider}/" for provider in providers if name.startswith(f"{provider}/")), "")
    return name.removeprefix(prefix) or name


class Target(NamedTuple):
    """What a request says about the model at the provider; None where it says nothing."""

    provider_model: str | None
    endpoint: str | None


def resolve_target(endpoint: str | None, provider_model: str | None) -> Target:
    """Distinguish a path or URL in `endpoint` from a model name, which earlier clients send there.

    A model name in `endpoint` is returned as `provider_model`, unless that was sent as well.
    """
    if endpoint is None or is_path_or_url(endpoint):
        return Target(provider_model, endpoint)
    return Target(provider_model or endpoint, None)


def is_path_or_url(text: str) -> bool:
    """Return whether the text can only be a path or URL: `/v1/chat/completions`, `http://host`, `v1/models`.

    Slashes, dots and colons alone decide nothing: `meta-llama/Llama-3`, `hf.co/org/model` and
    `anthropic.claude-v2:1` are model names.
    """
    text = text.strip().casefold()
    if text.startswith(("/", "./", "../", "\\", "?")) or "://" in text:
        return True
    first, *middle, last = ["", *(segment for segment in text.partition("?")[0].split("/") if segment)]
    above = [first, *middle][1:]
    if not above:
        return _is_local_host(last)
    is_base_url = _is_version(last) and (_is_host(above[0]) or _is_local_host(above[0]))
    is_route = last in API_ROUTES and any(
        segment in {"api", "chat"} or _is_version(segment) or _is_host(segment) for segment in above
    )
    return _is_version(above[0]) or is_base_url or is_route or last.partition(":")[2] in API_METHODS


API_ROUTES = frozenset({"completions", "embeddings", "responses", "messages", "generate", "chat", "converse"})
API_METHODS = frozenset({"generatecontent", "streamgeneratecontent", "embedcontent"})


def _is_version(segment: str) -> bool:
    return segment[:1] == "v" and segment[1:2].isdigit()


def _is_host(segment: str) -> bool:
    return "." in segment or segment.partition(":")[2].isdigit()


def _is_local_host(segment: str) -> bool:
    host, _, port = segment.partition(":")
    return (host == "localhost" or host.replace(".", "").isdigit()) and (not port or port.isdigit())
