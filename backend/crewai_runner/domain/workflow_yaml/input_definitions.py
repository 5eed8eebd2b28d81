"""`inputs:` in each of its formats: by name with a type, by name with a default, or as a list."""

from dataclasses import dataclass

from crewai_runner.domain.field_types import InputName, InputValue, excerpt
from crewai_runner.domain.workflow import InputDefinition, InputType
from crewai_runner.domain.workflow_yaml.document_keys import INPUT_SECTION, MAX_INPUTS
from crewai_runner.domain.workflow_yaml.messages import INVALID, report_wrong_type
from crewai_runner.domain.workflow_yaml.nodes import Listing, Node, Scalar, Table, is_null
from crewai_runner.domain.workflow_yaml.problems import Location, Problems
from crewai_runner.domain.workflow_yaml.run_inputs import TYPE_LABELS, has_wrong_type
from crewai_runner.domain.workflow_yaml.sections import SectionValues, read_section
from crewai_runner.domain.workflow_yaml.values import Value

NAME = Value(InputName)
VALUE = Value(InputValue)


@dataclass(frozen=True)
class DeclaredInput:
    definition: InputDefinition
    location: Location


def read_inputs(node: Node, parent: Location, problems: Problems) -> dict[str, DeclaredInput]:
    """Return the inputs by name; inputs with problems are reported and omitted."""
    inputs: dict[str, DeclaredInput] = {}
    members = _list_members(node, parent, problems)
    if len(members) > MAX_INPUTS:
        problems.error(parent, "too-many-items", f"At most {MAX_INPUTS} inputs are allowed.")
    for key, body in members[:MAX_INPUTS]:
        location = parent.to(excerpt(str(key.value)), key.index)
        name = NAME.read(key, location, problems)
        if name in inputs:
            message = f"There are two inputs `{name}`. Give each a different name."
            problems.error(location, "duplicate-name", message)
            continue
        definition = _read_definition(str(key.value), body, location, problems)
        if name is not INVALID and definition is not None:
            inputs[str(name)] = DeclaredInput(definition, location)
    return inputs


def _list_members(node: Node, parent: Location, problems: Problems) -> list[tuple[Scalar, Node]]:
    if isinstance(node, Table):
        return [(Scalar(entry.index, entry.key, entry.key), entry.node) for entry in node.entries.values()]
    members: list[tuple[Scalar, Node]] = []
    for number, item in enumerate(node.items if isinstance(node, Listing) else []):
        if isinstance(item, Scalar) and isinstance(item.value, str):
            members.append((item, Scalar(item.index, None, "")))
        elif isinstance(item, Table) and isinstance(name := item.get("name"), Scalar):
            members.append((name, item.without("name")))
        else:
            location = parent.item(number, item.index)
            report_wrong_type(item, location, problems, "a name, or a mapping with `name`")
    return members


def _read_definition(name: str, body: Node, location: Location, problems: Problems) -> InputDefinition | None:
    if is_null(body):
        return InputDefinition(name=name)
    if isinstance(body, Table):
        section = read_section(body, INPUT_SECTION, location, problems)
        return _build_typed(name, section, problems) if section.valid else None
    value = VALUE.read(body, Location(body.index, location.path), problems)
    if value is INVALID:
        return None
    return InputDefinition(name=name, type=_type_of(value), default=value, required=False)


def _build_typed(name: str, section: SectionValues, problems: Problems) -> InputDefinition | None:
    values = dict(section.values)
    values.setdefault("type", _type_of(values["default"]) if "default" in values else InputType.STRING)
    values.setdefault("required", "default" not in values)
    definition = InputDefinition.model_validate({"name": name, **values})
    return definition if _has_valid_values(definition, section, problems) else None


def _has_valid_values(definition: InputDefinition, section: SectionValues, problems: Problems) -> bool:
    """Return whether the default and the options have the type of the input."""
    enum = definition.enum or []
    label = TYPE_LABELS[definition.type]
    wrong = [number for number, value in enumerate(enum) if has_wrong_type(value, definition.type)]
    for number in wrong:
        problems.error(section.location("enum", number), "wrong-type", f"This is not {label}.")
    if definition.default is None:
        return not wrong
    if has_wrong_type(definition.default, definition.type):
        problems.error(section.location("default"), "wrong-type", f"The default is not {label}.")
        return False
    if enum and definition.default not in enum:
        message = "The default is none of the values under `enum`."
        problems.error(section.location("default"), "unknown-value", message)
        return False
    return not wrong


def _type_of(value: object) -> InputType:
    if isinstance(value, bool):
        return InputType.BOOLEAN
    if isinstance(value, int):
        return InputType.INTEGER
    if isinstance(value, float):
        return InputType.NUMBER
    if isinstance(value, list | dict):
        return InputType.ARRAY if isinstance(value, list) else InputType.OBJECT
    return InputType.TEXT if "\n" in str(value) else InputType.STRING
