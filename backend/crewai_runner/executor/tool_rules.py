"""Rules for the calls of a tool: who decides whether a call may be made, and how many may be made."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from crewai_runner.domain.tool_policy import ToolPolicy

_NO_AGENTS: Mapping[str, ToolPolicy] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class ToolRules:
    """The rules of one tool in one run. Without a policy, reading is allowed, and writing asks a person."""

    policy: ToolPolicy | None = None
    by_agent: Mapping[str, ToolPolicy] = field(default_factory=dict)
    """By the key of the agent that calls the tool; instead of `policy`."""
    max_calls: int | None = None
    """In one attempt of the run."""
    max_calls_per_minute: int | None = None

    def find_policy(self, agent: str | None, *, writes: bool) -> ToolPolicy:
        """Return what applies to a call of an agent."""
        stated = self.by_agent.get(agent or "", self.policy)
        return stated or ("ask" if writes else "allow")
