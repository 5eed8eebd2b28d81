"""The mappings of a workflow document, composed from the models and a few keys that only documents have."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints
from pydantic.fields import FieldInfo

from crewai_runner.domain.budget import Budget
from crewai_runner.domain.field_types import Line, Prose, value_error
from crewai_runner.domain.model_settings import ModelChoice, ModelSettings
from crewai_runner.domain.workflow import (
    FORM,
    AgentDefinition,
    InputDefinition,
    TaskDefinition,
    WorkflowDefinition,
)
from crewai_runner.domain.workflow_yaml import unsupported_keys
from crewai_runner.domain.workflow_yaml.messages import INVALID, report_wrong_type
from crewai_runner.domain.workflow_yaml.nodes import Listing, Node, Scalar
from crewai_runner.domain.workflow_yaml.output_schema import OutputSchema
from crewai_runner.domain.workflow_yaml.problems import Location, Problems
from crewai_runner.domain.workflow_yaml.sections import (
    Key,
    Nested,
    Section,
    key_of,
    keys_of,
    read_section,
    section_schema,
)
from crewai_runner.domain.workflow_yaml.values import Schema

MAX_AGENTS = 100
MAX_TASKS = 200
MAX_INPUTS = 100
_MAX_EXTRA_BODY = 200


def _limit_size(value: dict[str, Any]) -> dict[str, Any]:
    if _size(value) > _MAX_EXTRA_BODY:
        raise value_error("too-many-items", f"At most {_MAX_EXTRA_BODY} values are allowed here.")
    return value


def _size(value: object) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + sum(_size(item) for item in inner)


def _check_effort(effort: str) -> str:
    if not (effort.isascii() and effort.isalpha() and effort.islower()):
        raise value_error("unknown-value", "Write one word such as `low`, `medium` or `high`.")
    return effort


def _reject_bool(value: object) -> object:
    if isinstance(value, bool):
        raise value_error("decimal_type", "a number")
    return value


_StopText = Annotated[Line, StringConstraints(max_length=200)]
MODEL_SECTION = Section(
    title="A model",
    unsupported=unsupported_keys.MODEL,
    flattened=("settings",),
    keys=(
        *keys_of(ModelChoice, without=("settings",)),
        *keys_of(
            ModelSettings,
            types={
                "seed": Annotated[int, Field(ge=-(2**53), le=2**53)],
                "stop": Annotated[list[_StopText], Field(max_length=16)],
                "reasoning_effort": Annotated[
                    str, StringConstraints(max_length=16), AfterValidator(_check_effort)
                ],
                "extra_body": Annotated[dict[str, Any], AfterValidator(_limit_size)],
            },
        ),
    ),
)


@dataclass(frozen=True)
class ModelReference:
    """The name of a registered model, or a mapping with `model` and settings."""

    def read(self, node: Node, location: Location, problems: Problems) -> object:
        if isinstance(node, Scalar):
            name = MODEL_SECTION.by_name["model"].value.read(node, location, problems)
            return ModelChoice(name=name) if isinstance(name, str) else INVALID
        if isinstance(node, Listing):
            expected = "the name of a model, or a mapping with `model`"
            return report_wrong_type(node, location, problems, expected)
        found = read_section(node, MODEL_SECTION, location, problems)
        if not found.valid:
            return INVALID
        settings = {name: value for name, value in found.values.items() if name != "name"}
        return ModelChoice.model_validate({"name": found.values["name"], "settings": settings})

    def schema(self) -> Schema:
        name = MODEL_SECTION.by_name["model"].value.schema()
        return {"anyOf": [name, section_schema(MODEL_SECTION)]}


@dataclass(frozen=True)
class MemberNodes:
    """The agents, tasks or inputs of a document, as nodes; `members` and `input_definitions` read them."""

    title: str

    def read(self, node: Node, location: Location, problems: Problems) -> object:
        if isinstance(node, Scalar):
            return report_wrong_type(node, location, problems, f"a mapping or a list of {self.title}")
        return node

    def schema(self) -> Schema:
        return {"$ref": f"#/$defs/{self.title}"}


_ATTEMPTS = AgentDefinition.model_fields["planning_max_attempts"]
PLANNING_SECTION = Section(
    title="`planning_config`",
    unsupported=unsupported_keys.PLANNING_CONFIG,
    keys=(
        Key(
            "max_attempts", "planning_max_attempts", key_of("max_attempts", _ATTEMPTS).value, required=False,
            annotations={"title": "Max attempts", "description": _ATTEMPTS.description},
        ),
    ),
)  # fmt: skip
_PLANNING_CONFIG = key_of(
    "planning_config",
    FieldInfo(annotation=dict, default=None, description="CrewAI's planning settings; turns planning on."),
    Nested(PLANNING_SECTION),
)
_GUARDRAIL = key_of(
    "guardrail",
    FieldInfo(
        annotation=Prose,
        default=None,
        description="A rule in plain language that the output is checked against.",
        json_schema_extra=FORM,
    ),
)


def _insert(keys: tuple[Key, ...], extra: Key, before: str) -> tuple[Key, ...]:
    # The order of keys is the order of controls in the form of the web editor.
    index = next(index for index, key in enumerate(keys) if key.name == before)
    return (*keys[:index], extra, *keys[index:])


AGENT_SECTION = Section(
    title="An agent",
    unsupported=unsupported_keys.AGENT,
    flattened=("settings",),
    keys=_insert(
        keys_of(AgentDefinition, without=("key",), readers={"model": ModelReference()}),
        _PLANNING_CONFIG,
        before="guardrail",
    ),
)
TASK_SECTION = Section(
    title="A task",
    unsupported=unsupported_keys.TASK,
    keys=_insert(
        keys_of(
            TaskDefinition,
            without=("key",),
            readers={"output_json": OutputSchema()},
            types={"guardrails": Annotated[list[Prose], Field(max_length=10)]},
        ),
        _GUARDRAIL,
        before="guardrails",
    ),
)
_MONEY = Annotated[Decimal, Field(gt=0, le=1_000_000_000, decimal_places=9), BeforeValidator(_reject_bool)]
BUDGET_SECTION = Section(title="A budget", keys=keys_of(Budget, types={"max_cost": _MONEY}))
CREW_SECTION = Section(
    title="A workflow",
    unsupported=unsupported_keys.CREW,
    flattened=("crew", "workflow"),
    keys=keys_of(
        WorkflowDefinition,
        optional=("name",),
        readers={
            "agents": MemberNodes("agents"),
            "tasks": MemberNodes("tasks"),
            "inputs": MemberNodes("inputs"),
            "manager_model": ModelReference(),
            "budget": Nested(BUDGET_SECTION),
        },
    ),
)
INPUT_SECTION = Section(title="An input", keys=keys_of(InputDefinition, without=("name",)))
