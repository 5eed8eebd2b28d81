"""Chooses the connection of a call, for tools that have several."""

from collections.abc import Mapping
from typing import Any

from crewai_runner.executor.tool_binding import ToolBinding
from crewai_runner.executor.tools.runner import ToolCallFailed


def choose_connection(binding: ToolBinding, name: str | None) -> tuple[str, Mapping[str, Any], str]:
    """Return (name, settings, secret) of the named connection, or of the only one. Raises ToolCallFailed.

    `binding.config["connections"]` holds the settings by name, `binding.secrets` the secrets by name.
    """
    connections: Mapping[str, Mapping[str, Any]] = binding.config["connections"]
    if name is None and len(connections) == 1:
        name = next(iter(connections))
    if name is None or name not in connections:
        raise ToolCallFailed(f"Name one of these connections: {', '.join(sorted(connections))}.")
    secret = binding.secrets.get(name)
    return name, connections[name], "" if secret is None else secret.get_secret_value()
