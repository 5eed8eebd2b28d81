"""Resolve the model names that workflows use. Pure."""

import difflib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from crewai_runner.domain.provider import ModelKind, ProviderType

MAX_SUGGESTIONS = 3


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """The fields of a registered model that are needed to resolve names."""

    id: str
    name: str
    type: ModelKind
    endpoint: str
    default: bool
    provider_name: str
    provider_type: ProviderType
    provider_id: str = ""

    def list_aliases(self) -> Iterator[str]:
        """Yield `provider/endpoint` and `provider/name`, first with the provider's name, then its type."""
        for provider in (self.provider_name, self.provider_type.value):
            yield f"{provider}/{self.endpoint}"
            yield f"{provider}/{self.name}"


ALIASES_PER_MODEL = 4


class ModelIndex:
    """The registered models of a workspace, by name and by `provider/endpoint`."""

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
