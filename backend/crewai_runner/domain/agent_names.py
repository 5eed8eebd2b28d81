"""Finds the agent that a person or a model means, however the name is written. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from crewai_runner.domain.workflow import ProcessKind, WorkflowDefinition

MANAGER = "manager"
"""The key of the manager that a hierarchical crew has without a `manager_agent`."""
_QUOTES = "\"'`“”„«»"


def addressable_agents(definition: WorkflowDefinition) -> list[str]:
    """The keys of the agents that a message can be addressed to, the manager included."""
    keys = [agent.key for agent in definition.agents]
    has_manager = definition.process is ProcessKind.HIERARCHICAL and definition.manager_agent is None
    return [*keys, MANAGER] if has_manager and MANAGER not in keys else keys


def find_agent(definition: WorkflowDefinition, inputs: Mapping[str, Any], name: str) -> str | None:
    """Return the key of the agent with this key or role, None if there is none or more than one."""
    keys = addressable_agents(definition)
    if name in keys:
        return name
    roles = [(agent.role, agent.key) for agent in definition.agents]
    filled = [(_fill(role, inputs), key) for role, key in roles]
    return find_name(name, [*((key, key) for key in keys), *roles, *filled])


def find_name(text: str, names: Iterable[tuple[str, str]]) -> str | None:
    """Return the key whose name is meant by `text`; `names` are pairs of name and key.

    Differences in case, quotes, brackets of a list, white space and underscores do not count, nor does a
    remark in parentheses. None if no key is meant, or more than one.
    """
    known = [(normalize_name(name), key) for name, key in names]
    for wanted in (normalize_name(text), normalize_name(text.split("(", maxsplit=1)[0])):
        keys = {key for name, key in known if name == wanted and wanted}
        if keys:
            return keys.pop() if len(keys) == 1 else None
    return None


def normalize_name(text: str) -> str:
    text = text.strip()
    if text.startswith("[") and text.endswith("]"):
        text = text[1:-1].split(",")[0]
    without_quotes = "".join(" " if letter == "_" else letter for letter in text if letter not in _QUOTES)
    return " ".join(without_quotes.split()).casefold()


def _fill(role: str, inputs: Mapping[str, Any]) -> str:
    for name, value in inputs.items():
        role = role.replace(f"{{{name}}}", str(value))
    return role
