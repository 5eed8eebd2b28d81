"""The class with which CrewAI describes a tool's arguments to models."""

import copy
from typing import Any

from pydantic import BaseModel, ConfigDict

from crewai_runner.executor.tool_binding import ToolBinding


class ToolArguments(BaseModel):
    """Any arguments: `ToolCalls` checks them against the schema, and its message is better for a model."""

    model_config = ConfigDict(extra="allow")


def make_arguments_schema(binding: ToolBinding) -> type[BaseModel]:
    """Return a class with the JSON Schema of the binding, which accepts all arguments."""

    class Arguments(ToolArguments):
        @classmethod
        def model_json_schema(cls, *_options: Any, **_named_options: Any) -> dict[str, Any]:
            return {"properties": {}, "type": "object", **copy.deepcopy(binding.parameters)}

    Arguments.__name__ = f"{binding.model_name}_arguments"
    return Arguments
