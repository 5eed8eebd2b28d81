"""Lenient import: keeps what a document supports of an imported crew, and lists what it omits."""

from collections.abc import Iterator
from typing import Any

from crewai_runner.domain.field_types import excerpt
from crewai_runner.domain.output_files import make_writable, normalize_path
from crewai_runner.domain.workflow_yaml.document_keys import (
    AGENT_SECTION,
    CREW_SECTION,
    MODEL_SECTION,
    TASK_SECTION,
    MemberNodes,
    ModelReference,
)
from crewai_runner.domain.workflow_yaml.input_definitions import read_inputs
from crewai_runner.domain.workflow_yaml.members import choose_names, get_single_member
from crewai_runner.domain.workflow_yaml.messages import INVALID
from crewai_runner.domain.workflow_yaml.nodes import (
    Entry,
    Listing,
    Node,
    Scalar,
    Table,
    from_plain,
    is_null,
    kind_of,
    to_plain,
)
from crewai_runner.domain.workflow_yaml.omissions import Omission
from crewai_runner.domain.workflow_yaml.problems import Location, Problems
from crewai_runner.domain.workflow_yaml.sections import Key, Nested, Section, snake

_WRITABLE = "files stay within the run, and their names contain no inputs"


def import_leniently(crew: Table) -> tuple[dict[str, Any], list[Omission]]:
    """Return a crew's document and its omissions. Missing required keys stay missing."""
    omissions: list[Omission] = []
    top = _import_supported(crew, CREW_SECTION, "", omissions)
    document: dict[str, Any] = {
        name: top.pop(name) for name in ("name", "description", "process") if name in top
    }
    inputs = _import_inputs(crew.get("inputs"), omissions)
    if inputs:
        document["inputs"] = inputs
    document["agents"] = _import_members(crew.get("agents"), AGENT_SECTION, "agents", omissions)
    document["tasks"] = _import_members(crew.get("tasks"), TASK_SECTION, "tasks", omissions)
    return {**document, **top}, omissions


def _import_members(
    node: Node | None, section: Section, path: str, omissions: list[Omission]
) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for location, name, body in list_named(node, path):
        if not isinstance(body, Table):
            omissions.append(Omission(location, f"A mapping is expected, but this is {kind_of(body)}."))
            continue
        key, number = name, 2
        while key in members:
            key, number = f"{name}_{number}", number + 1
        written = to_plain(body.get("name") or Scalar(-1, None, ""))
        if key != name:
            omissions.append(Omission(location, f"Named `{excerpt(key)}`: `{excerpt(name)}` exists already."))
        elif written is not None and written != name:
            omissions.append(Omission(f"{location}.name", f"The name is `{excerpt(name)}`."))
        members[key] = _import_supported(body, section, f"{path}.{excerpt(key)}", omissions)
    return members


def list_named(node: Node | None, path: str) -> Iterator[tuple[str, str, Node]]:
    """Yield location, name and value of each member of a mapping or a list.

    A member of a list without `name` is named as `members.choose_names` names it.
    """
    if isinstance(node, Table):
        for key, entry in node.entries.items():
            yield f"{path}.{excerpt(key)}", key, entry.node
    elif isinstance(node, Listing):
        names = choose_names(node, path)
        for number, item in enumerate(node.items):
            only = get_single_member(item)
            yield f"{path}[{number}]", names[number], item if only is None else only.node
    elif node is not None and not is_null(node):
        yield path, "", node


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
        if key is None and name == "verbose":
            continue  # every run is recorded in detail
        if key is None:
            unsupported = section.unsupported.get(name)
            if not _is_empty(entry.node):
                omissions.append(Omission(path, unsupported.reason if unsupported else "Unknown key."))
        elif key.name in supported:
            omissions.append(Omission(path, f"`{key.name}` is given twice; the first one is kept."))
        elif not isinstance(key.value, MemberNodes):
            _add_if_valid(key, entry.node, path, supported, omissions)
    return supported


def _add_if_valid(
    key: Key, node: Node, path: str, supported: dict[str, Any], omissions: list[Omission]
) -> None:
    if key.name == "output_file" and isinstance(node, Scalar) and isinstance(node.value, str):
        writable = make_writable(node.value)
        if writable is not None:
            if writable != normalize_path(node.value):
                omissions.append(Omission(path, f"Written as `{excerpt(writable)}`: {_WRITABLE}."))
            node = Scalar(node.index, writable, writable, plain=False)
    section = _section_of(key)
    if section is not None and isinstance(node, Table):
        node = from_plain(_import_supported(node, section, path, omissions))
    problems = Problems()
    if key.value.read(node, Location(-1, path), problems) is not INVALID or key.required:
        supported[key.name] = to_plain(node)
    elif isinstance(node, Listing) and node.items:
        _add_valid_items(key, node, path, supported, omissions)
    else:
        reason = " ".join(problem.message for problem in problems.errors()[:1])
        omissions.append(Omission(path, reason))


def _section_of(key: Key) -> Section | None:
    """Return the keys of the mapping that is the key's value, None if it is not a mapping of keys."""
    if isinstance(key.value, ModelReference):
        return MODEL_SECTION
    return key.value.section if isinstance(key.value, Nested) else None


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


def _import_inputs(node: Node | None, omissions: list[Omission]) -> dict[str, Any]:
    """Return the inputs that are valid. A mapping that is no definition of an input is its default value."""
    inputs: dict[str, Any] = {}
    for location, given_name, body in list_named(node, "inputs"):
        is_item = isinstance(node, Listing)
        value = to_plain(body.without("name") if is_item and isinstance(body, Table) else body)
        name, described = given_name, value
        if is_item and isinstance(value, str):
            name, described = value, None
        elif isinstance(value, dict) and find_input_problem(name, value):
            described = {"type": "object", "default": to_plain(body)}
        problem = find_input_problem(name, described)
        if problem is None and name not in inputs:
            inputs[name] = described
        else:
            omissions.append(Omission(location, problem or f"Another input is named `{excerpt(name)}` too."))
    return inputs


def find_input_problem(name: str, described: object) -> str | None:
    problems = Problems()
    entry = Entry(name, -1, from_plain(described))
    read_inputs(Table(-1, {name: entry}), Location(-1, "inputs"), problems)
    return next((problem.message for problem in problems.errors()), None)
