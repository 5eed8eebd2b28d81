"""Agents and tasks in either spelling: a mapping by name, or a list with `name`."""

from collections.abc import Iterator
from dataclasses import dataclass

from crewai_runner.domain.workflow_yaml.mistakes import BAD, wrong_type
from crewai_runner.domain.workflow_yaml.names import NAME
from crewai_runner.domain.workflow_yaml.nodes import Entry, Listing, Node, Scalar, Table, is_null
from crewai_runner.domain.workflow_yaml.problems import Place, Problems, shown
from crewai_runner.domain.workflow_yaml.sections import Found, Section, read_section


@dataclass
class Draft:
    """An agent or task as it was read; `key` is its name, `place` where the name stands."""

    key: str
    place: Place
    found: Found

    def get(self, attribute: str) -> object:
        return self.found.values.get(attribute)

    def names(self, attribute: str) -> list[str]:
        """A list of names, empty when there is none."""
        value = self.found.values.get(attribute)
        return [str(name) for name in value] if isinstance(value, list) else []

    def is_on(self, attribute: str) -> bool:
        return self.found.values.get(attribute) is True


@dataclass
class _Named:
    key: str | None
    place: Place
    body: Node


class Drafts(list[Draft]):
    """The members that have a usable name, in order. `whole` is False when others were reported."""

    whole = True


def read_drafts(node: Node, section: Section, place: Place, most: int, problems: Problems) -> Drafts:
    """The agents or the tasks of a document; what has no usable name is reported and left out."""
    drafts = Drafts()
    seen: set[str] = set()
    named = list(
        _listed(node, place, problems) if isinstance(node, Listing) else _mapped(node, place, problems)
    )
    if not _size(node):
        problems.error(place, "missing-field", f"There are no {place.path}. Write at least one.")
    if len(named) > most:
        problems.error(place, "too-many-items", f"At most {most} {place.path} are possible.")
    drafts.whole = 0 < len(named) == _size(node) <= most and all(member.key for member in named)
    for member in named[:most]:
        draft = _draft(member, section, problems)
        if draft.key in seen:
            message = f"`{draft.key}` is the name of another of the {place.path} too. Give each its own name."
            problems.error(draft.place, "duplicate-name", message)
        elif member.key is not None:
            seen.add(draft.key)
            drafts.append(draft)
    return drafts


def _size(node: Node) -> int:
    if isinstance(node, Table):
        return len(node.entries)
    return len(node.items) if isinstance(node, Listing) else 0


def _draft(member: _Named, section: Section, problems: Problems) -> Draft:
    body = member.body
    if isinstance(body, Table):
        found = read_section(body, section, member.place, problems)
    else:
        found = Found(sound=False)
        missing = Table(body.index) if is_null(body) else None
        if missing is not None:
            found = read_section(missing, section, member.place, problems)
        else:
            wrong_type(body, Place(body.index, member.place.path), problems, "a mapping")
    return Draft(member.key or "", member.place, found)


def _mapped(node: Node, place: Place, problems: Problems) -> Iterator[_Named]:
    for entry in node.entries if isinstance(node, Table) else []:
        spot = place.to(shown(entry.key), entry.index)
        key = _name(Scalar(entry.index, entry.key, entry.key), spot, problems)
        yield _Named(key, spot, _without_name(entry, spot, problems))


def _without_name(entry: Entry, place: Place, problems: Problems) -> Node:
    body = entry.node
    name = body.get("name") if isinstance(body, Table) else None
    if not isinstance(body, Table) or name is None:
        return body
    if not (isinstance(name, Scalar) and name.value == entry.key):
        message = f"`name` has no effect here: this is called `{shown(entry.key)}`. Remove it."
        problems.warn(place.to("name", name.index), "no-effect", message)
    return _rest(body)


def _listed(node: Listing, place: Place, problems: Problems) -> Iterator[_Named]:
    for number, item in enumerate(node.items):
        spot = place.item(number, item.index)
        if not isinstance(item, Table):
            wrong_type(item, spot, problems, "a mapping with `name`")
            continue
        yield _from_item(item, place, spot, problems)


def _from_item(item: Table, place: Place, spot: Place, problems: Problems) -> _Named:
    name = item.get("name")
    if name is not None:
        key = _name(name, spot.to("name", name.index), problems)
        return _Named(key, place.to(shown(key), name.index) if key else spot, _rest(item))
    if len(item.entries) == 1 and isinstance(item.entries[0].node, Table):
        entry = item.entries[0]
        inner = place.to(shown(entry.key), entry.index)
        return _Named(_name(Scalar(entry.index, entry.key, entry.key), inner, problems), inner, entry.node)
    problems.error(spot.to("name"), "missing-field", "`name` is missing: how others refer to this.")
    return _Named(None, spot, item)


def _rest(table: Table) -> Table:
    rest = Table(table.index)
    for entry in table.entries:
        if entry.key != "name":
            rest.add(entry)
    return rest


def _name(node: Node, place: Place, problems: Problems) -> str | None:
    name = NAME.read(node, place, problems)
    return None if name is BAD else str(name)
