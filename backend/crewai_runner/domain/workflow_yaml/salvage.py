"""Takes from somebody else's crew what a document can hold, and says what it cannot."""

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from crewai_runner.domain.workflow_yaml.fields import AGENT_SECTION, CREW_SECTION, TASK_SECTION
from crewai_runner.domain.workflow_yaml.kinds import Members
from crewai_runner.domain.workflow_yaml.mistakes import BAD
from crewai_runner.domain.workflow_yaml.nodes import (
    Entry,
    Listing,
    Node,
    Scalar,
    Table,
    is_null,
    to_plain,
)
from crewai_runner.domain.workflow_yaml.problems import Place, Problems, shown
from crewai_runner.domain.workflow_yaml.sections import Key, Section, snake


@dataclass(frozen=True)
class LeftOut:
    """Something that is not in the document."""

    path: str
    why: str


def salvage(crew: Table) -> tuple[dict[str, Any], list[LeftOut]]:
    """The document of a crew, and what was left out of it. A key that is missing stays missing."""
    left_out: list[LeftOut] = []
    top = _kept(crew, CREW_SECTION, "", left_out)
    first = ("name", "description", "process")
    document: dict[str, Any] = {name: top.pop(name) for name in first if name in top}
    inputs = crew.get("inputs")
    if isinstance(inputs, Table) and inputs.entries:
        document["inputs"] = _inputs(inputs, left_out)
    document["agents"] = _members(crew.get("agents"), AGENT_SECTION, "agents", left_out)
    document["tasks"] = _members(crew.get("tasks"), TASK_SECTION, "tasks", left_out)
    return {**document, **top}, left_out


def _members(node: Node | None, section: Section, path: str, left_out: list[LeftOut]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for number, (name, body) in enumerate(_named(node)):
        key = name or f"{path.removesuffix('s')}_{number + 1}"
        members[key] = _kept(body, section, f"{path}.{shown(key)}", left_out)
    return members


def _named(node: Node | None) -> list[tuple[str | None, Table]]:
    if isinstance(node, Table):
        return [(entry.key, entry.node) for entry in node.entries if isinstance(entry.node, Table)]
    tables = [item for item in node.items if isinstance(item, Table)] if isinstance(node, Listing) else []
    return [_from_item(item) for item in tables]


def _from_item(item: Table) -> tuple[str | None, Table]:
    name = item.get("name")
    if isinstance(name, Scalar) and isinstance(name.value, str):
        return name.value, item
    only = item.entries[0] if len(item.entries) == 1 else None
    return (only.key, only.node) if only and isinstance(only.node, Table) else (None, item)


def _kept(table: Table, section: Section, path: str, left_out: list[LeftOut]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for entry in _flat(table, section):
        name = entry.key if section.key(entry.key) else snake(entry.key)
        key = section.key(name)
        spot = f"{path}.{shown(entry.key)}".removeprefix(".")
        if is_null(entry.node) or (name == "name" and key is None):
            continue
        if key is None:
            refusal = section.refused.get(name)
            _leave_out(entry.node, spot, refusal.why if refusal else "Not known here.", left_out)
        elif not isinstance(key.kind, Members):
            _keep(key, entry.node, spot, kept, left_out)
    return kept


def _keep(key: Key, node: Node, spot: str, kept: dict[str, Any], left_out: list[LeftOut]) -> None:
    tidy = _tidy(key, node)
    problems = Problems()
    if key.kind.read(tidy, Place(-1, spot), problems) is not BAD or key.required:
        kept[key.name] = to_plain(tidy)
        return
    left_out.append(LeftOut(spot, " ".join(problem.message for problem in problems.errors()[:1])))


def _tidy(key: Key, node: Node) -> Node:
    """Of a path only the file's name: results are files of the run, without folders."""
    if key.name != "output_file" or not isinstance(node, Scalar) or not isinstance(node.value, str):
        return node
    name = node.value if "{" in node.value else PurePosixPath(node.value.replace("\\", "/")).name
    return Scalar(node.index, name, name, plain=False)


def _leave_out(node: Node, spot: str, why: str, left_out: list[LeftOut]) -> None:
    held = node.entries if isinstance(node, Table) else node.items if isinstance(node, Listing) else [node]
    if held and not (isinstance(node, Scalar) and node.value is False):
        left_out.append(LeftOut(spot, why))


def _flat(table: Table, section: Section) -> list[Entry]:
    entries: list[Entry] = []
    for entry in table.entries:
        folded = entry.key in section.folded and isinstance(entry.node, Table)
        entries.extend(entry.node.entries if folded and isinstance(entry.node, Table) else [entry])
    return entries


def _inputs(table: Table, left_out: list[LeftOut]) -> dict[str, Any]:
    inputs: dict[str, Any] = {}
    for entry in table.entries:
        if isinstance(entry.node, Listing):
            left_out.append(LeftOut(f"inputs.{shown(entry.key)}", "An input is a single value, not a list."))
        else:
            inputs[entry.key] = to_plain(entry.node)
    return inputs
