"""How a model is found by what a workflow calls it. Pure."""

import difflib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from crewai_runner.domain.provider import ModelKind, ProviderType

MOST_SUGGESTIONS = 3


@dataclass(frozen=True, slots=True)
class Entry:
    """One registered model, as far as finding it goes."""

    id: str
    name: str
    type: ModelKind
    endpoint: str
    default: bool
    provider_name: str
    provider_type: ProviderType
    provider_id: str = ""

    def aliases(self) -> Iterator[str]:
        """`provider/endpoint` and the like; a provider's own name goes before its type."""
        for owner in (self.provider_name, self.provider_type.value):
            yield f"{owner}/{self.endpoint}"
            yield f"{owner}/{self.name}"


class Directory:
    """The registered models of a workspace: by name, else by `provider/endpoint`."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        ordered = sorted(entries, key=lambda entry: (not entry.default, entry.id))
        self._names = {entry.name: entry for entry in ordered}
        self._aliases: dict[str, Entry] = {}
        # Where two models go by one alias, the provider's name decides, then the default, then age.
        for turn in range(4):
            for entry in ordered:
                self._aliases.setdefault(list(entry.aliases())[turn], entry)

    def find(self, name: str, kind: ModelKind | None = None) -> Entry | None:
        """The model called so; with `kind`, only one of that kind."""
        found = self._names.get(name) or self._aliases.get(name)
        return found if found is not None and kind in (None, found.type) else None

    def words(self, kind: ModelKind) -> frozenset[str]:
        """Everything that models of a kind may be called."""
        everything = {**self._aliases, **self._names}
        return frozenset(word for word, entry in everything.items() if entry.type is kind)

    def nearest(self, name: str, kind: ModelKind | None = None) -> list[str]:
        """Names of registered models that may have been meant, the likeliest first."""
        names = {
            entry.name.casefold(): entry.name for entry in self._names.values() if kind in (None, entry.type)
        }
        bare = name.rsplit("/", 1)[-1].casefold()
        close = [
            *difflib.get_close_matches(name.casefold(), names, MOST_SUGGESTIONS),
            *difflib.get_close_matches(bare, names, MOST_SUGGESTIONS),
            *(known for known in names if bare in known or known in bare),
        ]
        return [names[known] for known in dict.fromkeys(close)][:MOST_SUGGESTIONS]


def without_owner(name: str, owners: Sequence[str]) -> str:
    """`openai/gpt-4o` -> `gpt-4o` where `openai` is one of the owners; else the name as it is."""
    prefix = next((f"{owner}/" for owner in owners if name.startswith(f"{owner}/")), "")
    return name.removeprefix(prefix) or name
