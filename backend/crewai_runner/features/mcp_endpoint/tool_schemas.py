"""Descriptions of the tools as `tools/list` returns them. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from crewai_runner.domain.workflow import InputDefinition, InputType
from crewai_runner.features.mcp_endpoint.schemas import (
    AnswerApprovalArguments,
    GetRunArguments,
    ListRunsArguments,
    StopRunArguments,
    ToolArguments,
)

CONTROL_PREFIX = "run."
"""Begins the names of arguments that are no inputs."""
MAX_DESCRIPTION_LENGTH = 2000
_JSON_TYPES: Mapping[InputType, str] = {
    InputType.STRING: "string",
    InputType.TEXT: "string",
    InputType.INTEGER: "integer",
    InputType.NUMBER: "number",
    InputType.BOOLEAN: "boolean",
    InputType.ARRAY: "array",
    InputType.OBJECT: "object",
}
_CONTROLS: Mapping[str, Any] = {
    f"{CONTROL_PREFIX}wait": {
        "type": "boolean",
        "default": True,
        "description": "false: start the run and return at once; `get_run` follows it.",
    },
    f"{CONTROL_PREFIX}key": {
        "type": "string",
        "minLength": 1,
        "maxLength": 200,
        "description": "Any text without spaces. Repeating a call with the same key and inputs within 24 "
        "hours returns to its run and does not start another one.",
    },
}
_ENDING = (
    "Starts a run of a CrewAI workflow and returns its result. If the run takes long or waits for a person, "
    "it returns the run's id: call `get_run` with it."
)


def describe_workflow_tool(
    slug: str, name: str, description: str | None, inputs: Sequence[InputDefinition]
) -> dict[str, Any]:
    """Return the tool that starts a workflow; its name is the slug."""
    about = (description or "").strip()[:MAX_DESCRIPTION_LENGTH] or f"Workflow {name}."
    required = [declared.name for declared in inputs if declared.required and declared.default is None]
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {declared.name: _describe_input(declared) for declared in inputs} | dict(_CONTROLS),
        "additionalProperties": False,
    }
    return {
        "name": slug,
        "title": name,
        "description": f"{about}\n\n{_ENDING}",
        "inputSchema": schema | ({"required": required} if required else {}),
        "annotations": {"readOnlyHint": False, "destructiveHint": False, "openWorldHint": True},
    }


def _describe_input(declared: InputDefinition) -> dict[str, Any]:
    kind = _JSON_TYPES.get(declared.type)
    fields = {
        "type": kind,
        "description": declared.description,
        "default": declared.default,
        "enum": declared.enum,
    }
    return {name: value for name, value in fields.items() if value is not None}


def describe_run_tool(
    name: str, arguments: type[ToolArguments], description: str, annotations: Mapping[str, bool]
) -> dict[str, Any]:
    """Return a tool for runs that are there."""
    schema = arguments.model_json_schema()
    schema.pop("description", None)
    return {
        "name": name,
        "description": description,
        "inputSchema": schema,
        "annotations": {"openWorldHint": False, **annotations},
    }


LIST_RUNS = describe_run_tool(
    "list_runs",
    ListRunsArguments,
    "List the runs of this workspace, newest first.",
    {"readOnlyHint": True},
)
GET_RUN = describe_run_tool(
    "get_run",
    GetRunArguments,
    "Get the state of a run: its result once it has one, or what it waits for and what to call next.",
    {"readOnlyHint": True},
)
STOP_RUN = describe_run_tool(
    "stop_run",
    StopRunArguments,
    "Stop a run; its open model calls are closed.",
    {"readOnlyHint": False, "destructiveHint": True, "idempotentHint": True},
)
ANSWER_APPROVAL = describe_run_tool(
    "answer_approval",
    AnswerApprovalArguments,
    "Answer what a run asks a person: approve, revise or reject the output of a task, or answer a question. "
    "Ask the person first; do not decide for them. The run then continues: call `get_run`.",
    {"readOnlyHint": False, "destructiveHint": True},
)
