"""Tasks that name their agent by a role with placeholders, as in CrewAI, where agents have no other name."""

from collections.abc import Iterator
from dataclasses import replace

from crewai_runner.domain.workflow_yaml.document_keys import CREW_SECTION
from crewai_runner.domain.workflow_yaml.members import choose_names, get_single_member
from crewai_runner.domain.workflow_yaml.nodes import Listing, Node, Scalar, Table


def resolve_roles(root: Table) -> None:
    """Replace the role by the name of the agent wherever a document refers to an agent by such a role.

    Other roles could be names, and are resolved after the names of all agents are known.
    """
    parts = [root, *(root.get(name) for name in CREW_SECTION.flattened)]
    tables = [part for part in parts if isinstance(part, Table)]
    names = {role: name for table in tables for role, name in _list_roles(table.get("agents"))}
    if not names:
        return
    for table in tables:
        _resolve(table, ("manager_agent", "managerAgent"), names)
        for task in _list_bodies(table.get("tasks")):
            _resolve(task, ("agent",), names)


def _resolve(table: Table, keys: tuple[str, ...], names: dict[str, str]) -> None:
    for key in keys:
        node = table.get(key)
        if isinstance(node, Scalar) and isinstance(node.value, str) and node.value.strip() in names:
            name = names[node.value.strip()]
            table.entries[key] = replace(table.entries[key], node=Scalar(node.index, name, name, node.plain))


def _list_roles(agents: Node | None) -> Iterator[tuple[str, str]]:
    """Return (role, name) of the agents whose role has braces, which no name has."""
    names: list[str] = []
    if isinstance(agents, Table):
        names = list(agents.entries)
    elif isinstance(agents, Listing):
        names = choose_names(agents, "agents")
    for name, body in zip(names, _list_bodies(agents), strict=True):
        role = body.get("role")
        if isinstance(role, Scalar) and isinstance(role.value, str) and "{" in role.value:
            yield role.value.strip(), name


def _list_bodies(members: Node | None) -> list[Table]:
    if isinstance(members, Table):
        nodes = [entry.node for entry in members.entries.values()]
    elif isinstance(members, Listing):
        nodes = [only.node if (only := get_single_member(item)) else item for item in members.items]
    else:
        return []
    return [node if isinstance(node, Table) else Table(node.index) for node in nodes]
