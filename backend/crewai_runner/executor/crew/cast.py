"""Which of the engine's objects is which of ours."""

from collections.abc import Iterable
from typing import Any

MANAGER = "manager"


class Cast:
    """Agents of the engine, by id and by role, with the keys of the definition."""

    def __init__(self) -> None:
        self._keys: dict[str, str] = {}
        self._roles: dict[str, str] = {}

    def add(self, agent: Any, key: str) -> None:
        self._keys[str(agent.id)] = key
        self._roles.setdefault(_plain(agent.role), key)

    def key(self, agent_id: str | None) -> str | None:
        """Our key, or None for an agent that the engine made for itself."""
        return self._keys.get(agent_id) if agent_id else None

    def key_for_role(self, role: str) -> str:
        """Our key for a coworker named by a model; its own words when nobody has that role."""
        return self._roles.get(_plain(role), role)


def _plain(role: str) -> str:
    return " ".join(role.split()).replace('"', "").casefold()


def named(tools: Iterable[Any] | None) -> list[str]:
    """The names of the engine's tools."""
    return [str(tool.name) for tool in tools or ()]
