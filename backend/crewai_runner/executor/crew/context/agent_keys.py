"""Maps CrewAI's agents to the keys of the workflow definition."""

from typing import Any

MANAGER = "manager"


class AgentKeyMap:
    """Agent keys by CrewAI's agent id and by role."""

    def __init__(self) -> None:
        self._by_id: dict[str, str] = {}
        self._by_role: dict[str, str] = {}

    def add(self, agent: Any, key: str) -> None:
        """Register a CrewAI agent. The first agent of a role keeps the role."""
        self._by_id[str(agent.id)] = key
        self._by_role.setdefault(_normalize_role(agent.role), key)

    def find(self, agent_id: str | None) -> str | None:
        """Return the key, or None for an agent that CrewAI created itself."""
        return self._by_id.get(agent_id) if agent_id else None

    def find_by_role(self, role: str) -> str:
        """Return the key of a coworker named by a model; `role` itself when it is unknown."""
        return self._by_role.get(_normalize_role(role), role)


def _normalize_role(role: str) -> str:
    return " ".join(role.split()).replace('"', "").casefold()
