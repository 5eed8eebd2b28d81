"""Maps CrewAI's agents to the keys of the workflow definition."""

from typing import Any

from crewai_runner.domain.agent_names import MANAGER, find_name, normalize_name

__all__ = ["MANAGER", "AgentKeyMap"]


class AgentKeyMap:
    """Agent keys by CrewAI's agent id and by role."""

    def __init__(self) -> None:
        self._by_id: dict[str, str] = {}
        self._by_role: dict[str, str] = {}

    def add(self, agent: Any, key: str) -> None:
        """Register a CrewAI agent. The first agent of a role keeps the role."""
        self._by_id[str(agent.id)] = key
        self._by_role.setdefault(normalize_name(agent.role), key)

    def find(self, agent_id: str | None) -> str | None:
        """Return the key, or None for an agent that CrewAI created itself."""
        return self._by_id.get(agent_id) if agent_id else None

    def find_by_role(self, role: str) -> str:
        """Return the key of a coworker named by a model by role or key; `role` itself when it is unknown."""
        names = {normalize_name(key): key for key in self._by_id.values()} | self._by_role
        return find_name(role, names.items()) or role
