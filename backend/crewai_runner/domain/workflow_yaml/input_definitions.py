"""`inputs:` in each of its forms: by name with a type, by name with a default, or as a list."""

from dataclasses import dataclass

from crewai_runner.domain.workflow import InputDefinition, InputType
from crewai_runner.domain.workflow_yaml.fields import INPUT_SECTION, MAX_INPUTS
from crewai_runner.domain.workflow_yaml.inputs import misfit
from crewai_runner.domain.workflow_yaml.kinds import ListOf, Schema
from crewai_runner.domain.workflow_yaml.mistakes import BAD, wrong_type
from crewai_runner.domain.workflow_yaml.names import INPUT
from crewai_runner.domain.workflow_yaml.nodes import Listing, Node, Scalar, Table, is_null, is_storable
from crewai_runner.domain.workflow_yaml.problems import Place, Problems, shown
from crewai_runner.domain.workflow_yaml.sections import Found, Key, Section, read_section

_MAX_DEFAULT = 20_000


@dataclass(frozen=True)
class Value:
    """A single value of an input: text, a number, true or false."""

    def read(self, node: Node, place: Place, problems: Problems) -> object:
        if not isinstance(node, Scalar) or node.value is None:
            return wrong_type(node, place, problems, "text, a number, or true or false")
        if isinstance(node.value, str) and (len(node.value) > _MAX_DEFAULT or not is_storable(node.value)):
            problems.error(
                place,
                "text-too-long",
                f"At most {_MAX_DEFAULT:,} characters, none of them control characters.",
            )
            return BAD
        return node.value

    def schema(self) -> Schema:
        return {"type": ["string", "number", "boolean"]}

    def write(self, value: object) -> object:
        return value


SECTION = Section(
    what="An input",
    keys=(
        *INPUT_SECTION.keys,
        Key("default", Value(), "Taken when a run gives no value."),
        Key("enum", ListOf(Value(), 100, "a list of values"), "The values to choose from."),
    ),
)


@dataclass(frozen=True)
class InputDraft:
    definition: InputDefinition
    place: Place


def read_inputs(node: Node, place: Place, problems: Problems) -> dict[str, InputDraft]:
    """The inputs by name; those that cannot be read are reported and left out."""
    drafts: dict[str, InputDraft] = {}
    members = _members(node, place, problems)
    if len(members) > MAX_INPUTS:
        problems.error(place, "too-many-items", f"At most {MAX_INPUTS} inputs are possible.")
    for key, body in members[:MAX_INPUTS]:
        spot = place.to(shown(str(key.value)), key.index)
        name = INPUT.read(key, spot, problems)
        if name in drafts:
            problems.error(spot, "duplicate-name", f"There are two inputs `{name}`. Give each its own name.")
            continue
        definition = _definition(str(key.value), body, spot, problems)
        if name is not BAD and definition is not None:
            drafts[str(name)] = InputDraft(definition, spot)
    return drafts


def _members(node: Node, place: Place, problems: Problems) -> list[tuple[Scalar, Node]]:
    if isinstance(node, Table):
        return [(Scalar(entry.index, entry.key, entry.key), entry.node) for entry in node.entries]
    members: list[tuple[Scalar, Node]] = []
    for number, item in enumerate(node.items if isinstance(node, Listing) else []):
        spot = place.item(number, item.index)
        if isinstance(item, Scalar) and isinstance(item.value, str):
            members.append((item, Scalar(item.index, None, "")))
        elif isinstance(item, Table) and isinstance(name := item.get("name"), Scalar):
            members.append((name, _rest(item)))
        else:
            wrong_type(item, spot, problems, "a name, or a mapping with `name`")
    return members


def _rest(table: Table) -> Table:
    rest = Table(table.index)
    for entry in table.entries:
        if entry.key != "name":
            rest.add(entry)
    return rest


def _definition(name: str, body: Node, place: Place, problems: Problems) -> InputDefinition | None:
    if is_null(body):
        return InputDefinition(name=name)
    if isinstance(body, Table):
        found = read_section(body, SECTION, place, problems)
        return _typed(name, found, problems) if found.sound else None
    value = Value().read(body, Place(body.index, place.path), problems)
    if value is BAD:
        return None
    return InputDefinition(name=name, type=_type_of(value), default=value, required=False)


def _typed(name: str, found: Found, problems: Problems) -> InputDefinition | None:
    values = dict(found.values)
    values.setdefault("type", _type_of(values["default"]) if "default" in values else InputType.STRING)
    values.setdefault("required", "default" not in values)
    definition = InputDefinition.model_validate({"name": name, **values})
    return definition if _fits(definition, found, problems) else None


def _fits(definition: InputDefinition, found: Found, problems: Problems) -> bool:
    enum = definition.enum or []
    wrong = [number for number, value in enumerate(enum) if misfit(value, definition.type)]
    for number in wrong:
        problems.error(found.place("enum", number), "wrong-type", f"This is not {_words(definition.type)}.")
    if definition.default is None:
        return not wrong
    if misfit(definition.default, definition.type):
        problems.error(found.place("default"), "wrong-type", f"The default is not {_words(definition.type)}.")
        return False
    if enum and definition.default not in enum:
        problems.error(
            found.place("default"), "unknown-value", "The default is none of the values under `enum`."
        )
        return False
    return not wrong


def _words(kind: InputType) -> str:
    return {"integer": "a whole number", "number": "a number", "boolean": "true or false"}.get(kind, "text")


def _type_of(value: object) -> InputType:
    if isinstance(value, bool):
        return InputType.BOOLEAN
    if isinstance(value, int):
        return InputType.INTEGER
    if isinstance(value, float):
        return InputType.NUMBER
    return InputType.TEXT if "\n" in str(value) else InputType.STRING
