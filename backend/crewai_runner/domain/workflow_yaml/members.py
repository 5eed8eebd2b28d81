"""Agents and tasks in either format: a mapping by name, or a list with `name`."""

from collections.abc import Iterator
from dataclasses import dataclass

from crewai_runner.domain.field_types import Name, excerpt
from crewai_runner.domain.workflow_yaml.messages import INVALID, report_wrong_type
from crewai_runner.domain.workflow_yaml.nodes import Entry, Listing, Node, Scalar, Table, is_null
from crewai_runner.domain.workflow_yaml.problems import Location, Problems
from crewai_runner.domain.workflow_yaml.sections import Section, SectionValues, read_section
from crewai_runner.domain.workflow_yaml.values import Value

NAME = Value(Name)


@dataclass
class DocumentMember:
    """An agent or a task; `key` is its name, `location` the location of the name."""

    key: str
    location: Location
    section: SectionValues

    def get(self, attribute: str) -> object:
        return self.section.values.get(attribute)

    def names(self, attribute: str) -> list[str]:
        """Return a list attribute, empty when it is not set."""
        value = self.section.values.get(attribute)
        return [str(name) for name in value] if isinstance(value, list) else []

    def is_on(self, attribute: str) -> bool:
        return self.section.values.get(attribute) is True


@dataclass
class _NamedNode:
    key: str | None
    location: Location
    body: Node


def read_members(
    node: Node, section: Section, location: Location, limit: int, problems: Problems
) -> tuple[list[DocumentMember], bool]:
    """Return the agents or tasks with a valid name, in order, and whether these are all members."""
    members: list[DocumentMember] = []
    title = location.path
    size = (
        len(node.entries) if isinstance(node, Table) else len(node.items) if isinstance(node, Listing) else 0
    )
    if isinstance(node, Listing):
        named = list(_from_list(node, location, problems))
    else:
        named = list(_from_mapping(node, location, problems))
    if not size:
        problems.error(location, "missing-field", f"There are no {title}. Add at least one.")
    if len(named) > limit:
        problems.error(location, "too-many-items", f"At most {limit} {title} are allowed.")
    is_complete = 0 < len(named) == size <= limit and all(member.key for member in named)
    seen: set[str] = set()
    for member in named[:limit]:
        values = _read_body(member, section, problems)
        if member.key in seen:
            message = f"Another of the {title} is also named `{member.key}`. Give each a different name."
            problems.error(member.location, "duplicate-name", message)
        elif member.key is not None:
            seen.add(member.key)
            members.append(DocumentMember(member.key, member.location, values))
    return members, is_complete


def _read_body(member: _NamedNode, section: Section, problems: Problems) -> SectionValues:
    body = Table(member.body.index) if is_null(member.body) else member.body
    if isinstance(body, Table):
        return read_section(body, section, member.location, problems)
    report_wrong_type(body, Location(body.index, member.location.path), problems, "a mapping")
    return SectionValues(valid=False)


def _from_mapping(node: Node, parent: Location, problems: Problems) -> Iterator[_NamedNode]:
    for entry in node.entries.values() if isinstance(node, Table) else ():
        key, location = _entry_name(entry, parent, problems)
        body = entry.node
        name = body.get("name") if isinstance(body, Table) else None
        if isinstance(body, Table) and name is not None:
            if not (isinstance(name, Scalar) and name.value == entry.key):
                message = f"`name` has no effect here: the name is `{excerpt(entry.key)}`. Remove it."
                problems.warn(location.to("name", name.index), "no-effect", message)
            body = body.without("name")
        yield _NamedNode(key, location, body)


def _from_list(node: Listing, parent: Location, problems: Problems) -> Iterator[_NamedNode]:
    names = choose_names(node, parent.path)
    for number, item in enumerate(node.items):
        location = parent.item(number, item.index)
        if not isinstance(item, Table):
            report_wrong_type(item, location, problems, "a mapping with `name`")
            continue
        name, only = item.get("name"), get_single_member(item)
        if name is not None:
            key = _read_name(name, location.to("name", name.index), problems)
            named = parent.to(excerpt(key), name.index) if key else location
            yield _NamedNode(key, named, item.without("name"))
        elif only is not None:
            key, location = _entry_name(only, parent, problems)
            yield _NamedNode(key, location, only.node)
        else:
            yield _NamedNode(names[number], location, item)


def get_single_member(item: Node) -> Entry | None:
    """Return the member of a list item in the form `- writer: {role: ...}`."""
    only = next(iter(item.entries.values())) if isinstance(item, Table) and len(item.entries) == 1 else None
    return only if only is not None and isinstance(only.node, Table) else None


def choose_names(node: Listing, path: str) -> list[str]:
    """Return a name for each item of a list: its `name`, else an agent's role, else such as `task_2`.

    CrewAI's own lists have no names: tasks name their agent by its role.
    """
    singles = [get_single_member(item) for item in node.items]
    given = [
        only.key if only else _text_of(item, "name") for item, only in zip(node.items, singles, strict=True)
    ]
    taken = {name for name in given if name}
    kind = path.rsplit(".", 1)[-1].removesuffix("s")
    names: list[str] = []
    for number, item in enumerate(node.items):
        role = _text_of(item, "role").strip()
        is_name = NAME.read(Scalar(-1, role, role), Location(-1, ""), Problems()) is not INVALID
        name = given[number] or (role if is_name and role not in taken else "")
        count = number + 1
        while not name or (not given[number] and name in taken):
            name, count = f"{kind}_{count}", count + 1
        taken.add(name)
        names.append(name)
    return names


def _text_of(item: Node, key: str) -> str:
    value = item.get(key) if isinstance(item, Table) else None
    return value.value if isinstance(value, Scalar) and isinstance(value.value, str) else ""


def _entry_name(entry: Entry, parent: Location, problems: Problems) -> tuple[str | None, Location]:
    location = parent.to(excerpt(entry.key), entry.index)
    return _read_name(Scalar(entry.index, entry.key, entry.key), location, problems), location


def _read_name(node: Node, location: Location, problems: Problems) -> str | None:
    name = NAME.read(node, location, problems)
    return None if name is INVALID else str(name)
