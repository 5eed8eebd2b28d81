"""Lenient import: keeps what a document supports of an imported crew, and lists what it omits."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from crewai_runner.domain.field_types import excerpt
from crewai_runner.domain.output_files import make_relative, normalize_path
from crewai_runner.domain.workflow_yaml.document_keys import (
    AGENT_SECTION,
    CREW_SECTION,
    TASK_SECTION,
    MemberNodes,
)
from crewai_runner.domain.workflow_yaml.messages import INVALID
from crewai_runner.domain.workflow_yaml.nodes import Entry, Listing, Node, Scalar, Table, is_null, to_plain
from crewai_runner.domain.workflow_yaml.problems import Location, Problems
from crewai_runner.domain.workflow_yaml.sections import Key, Section, snake


@dataclass(frozen=True)
class Omission:
    """A value of the crew that the document omits."""

    path: str
    reason: str


def import_leniently(crew: Table) -> tuple[dict[str, Any], list[Omission]]:
    """Return a crew's document and its omissions. Missing required keys stay missing."""
    omissions: list[Omission] = []
    top = _import_supported(crew, CREW_SECTION, "", omissions)
    document: dict[str, Any] = {
        name: top.pop(name) for name in ("name", "description", "process") if name in top
    }
    inputs = crew.get("inputs")
    if isinstance(inputs, Table) and inputs.entries:
        document["inputs"] = _import_inputs(inputs, omissions)
    document["agents"] = _import_members(crew.get("agents"), AGENT_SECTION, "agents", omissions)
    document["tasks"] = _import_members(crew.get("tasks"), TASK_SECTION, "tasks", omissions)
    return {**document, **top}, omissions


def _import_members(
    node: Node | None, section: Section, path: str, omissions: list[Omission]
) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for number, (name, body) in enumerate(_list_named(node)):
        key = name or f"{path.removesuffix('s')}_{number + 1}"
        members[key] = _import_supported(body, section, f"{path}.{excerpt(key)}", omissions)
    return members


def _list_named(node: Node | None) -> list[tuple[str | None, Table]]:
    """Return the members of a mapping or a list, with their names."""
    if isinstance(node, Table):
        return [(key, entry.node) for key, entry in node.entries.items() if isinstance(entry.node, Table)]
    tables = [item for item in node.items if isinstance(item, Table)] if isinstance(node, Listing) else []
    named: list[tuple[str | None, Table]] = []
    for item in tables:
        name = item.get("name")
        only = next(iter(item.entries.values())) if len(item.entries) == 1 else None
        if isinstance(name, Scalar) and isinstance(name.value, str):
            named.append((name.value, item))
        elif only is not None and isinstance(only.node, Table):
            named.append((only.key, only.node))
        else:
            named.append((None, item))
    return named


def _import_supported(
    table: Table, section: Section, parent: str, omissions: list[Omission]
) -> dict[str, Any]:
    """Return the values of a mapping that are valid in a document."""
    supported: dict[str, Any] = {}
    for entry in _flat_entries(table, section):
        name = entry.key if entry.key in section.by_name else snake(entry.key)
        key = section.by_name.get(name)
        path = f"{parent}.{excerpt(entry.key)}".removeprefix(".")
        if is_null(entry.node) or (name == "name" and key is None):
            continue
        if key is None:
            unsupported = section.unsupported.get(name)
            if not _is_empty(entry.node):
                omissions.append(Omission(path, unsupported.reason if unsupported else "Unknown key."))
        elif not isinstance(key.value, MemberNodes):
            _add_if_valid(key, entry.node, path, supported, omissions)
    return supported


def _add_if_valid(
    key: Key, node: Node, path: str, supported: dict[str, Any], omissions: list[Omission]
) -> None:
    if key.name == "output_file" and isinstance(node, Scalar) and isinstance(node.value, str):
        relative = make_relative(node.value)
        if relative != normalize_path(node.value):
            omissions.append(Omission(path, f"Written as `{excerpt(relative)}`: files stay within the run."))
        node = Scalar(node.index, relative, relative, plain=False)
    problems = Problems()
    if key.value.read(node, Location(-1, path), problems) is not INVALID or key.required:
        supported[key.name] = to_plain(node)
    elif isinstance(node, Listing) and node.items:
        _add_valid_items(key, node, path, supported, omissions)
    else:
        reason = " ".join(problem.message for problem in problems.errors()[:1])
        omissions.append(Omission(path, reason))


def _add_valid_items(
    key: Key, node: Listing, path: str, supported: dict[str, Any], omissions: list[Omission]
) -> None:
    """Keep the valid items of a list; each other one is an omission of its own."""
    kept: list[object] = []
    for number, item in enumerate(node.items):
        problems = Problems()
        single = Listing(node.index, [item])
        if key.value.read(single, Location(-1, path), problems) is not INVALID:
            kept.append(to_plain(item))
        else:
            reason = " ".join(problem.message for problem in problems.errors()[:1])
            omissions.append(Omission(f"{path}[{number}]", reason))
    if kept:
        supported[key.name] = kept


def _is_empty(node: Node) -> bool:
    if isinstance(node, Table):
        return not node.entries
    return not node.items if isinstance(node, Listing) else node.value is False


def _flat_entries(table: Table, section: Section) -> Iterator[Entry]:
    for entry in table.entries.values():
        if entry.key in section.flattened and isinstance(entry.node, Table):
            yield from entry.node.entries.values()
        else:
            yield entry


def _import_inputs(table: Table, omissions: list[Omission]) -> dict[str, Any]:
    inputs: dict[str, Any] = {}
    for key, entry in table.entries.items():
        if isinstance(entry.node, Listing):
            omissions.append(Omission(f"inputs.{excerpt(key)}", "An input is a single value, not a list."))
        else:
            inputs[key] = to_plain(entry.node)
    return inputs
