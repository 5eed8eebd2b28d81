"""The setting MCP_STDIO_COMMANDS: the commands that may be started as MCP servers, by name."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_settings import NoDecode

MAX_COMMANDS = 50
_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_RESERVED = re.compile(
    r"PATH|HOME|TMPDIR|LD_.*|DYLD_.*|PYTHON.*|NODE_.*|BASH_.*|ENV|IFS|SHELLOPTS", re.IGNORECASE
)
"""Variables that make a program run other code than its own."""
_OWN_FOLDERS = ("/work", "/tmp", "/run", "/proc", "/dev", "/etc", "/opt/runner", "/opt/python")  # noqa: S108
"""What the sandbox has at these paths is its own."""


def _check_word(value: str) -> str:
    if not value or "\0" in value:
        raise ValueError("must not be empty or contain a null character")
    return value


def _check_folder(value: str) -> str:
    parts = value.split("/")
    is_plain = value.startswith("/") and "\0" not in value and not {"", ".", ".."} & set(parts[1:])
    if not is_plain or any(value == own or value.startswith(f"{own}/") for own in _OWN_FOLDERS):
        raise ValueError(f"must be the path of a folder, not / and not one of {', '.join(_OWN_FOLDERS)}")
    return value


def _check_environment(value: dict[str, str]) -> dict[str, str]:
    for name, text in value.items():
        if not _VARIABLE.fullmatch(name) or "\0" in text:
            raise ValueError("must have names of letters, digits and underscores")
        if _RESERVED.fullmatch(name):
            raise ValueError(f"{name} must not be set")
    return value


class McpCommand(BaseModel):
    """A command line, taken as it is: no shell reads it. `folders` are readable for it, at the same paths."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    command: Annotated[
        tuple[Annotated[str, AfterValidator(_check_word)], ...], Field(min_length=1, max_length=64)
    ]
    folders: tuple[Annotated[str, AfterValidator(_check_folder)], ...] = ()
    environment: Annotated[dict[str, str], AfterValidator(_check_environment)] = Field({}, repr=False)


def find_command_name(commands: Mapping[str, McpCommand], words: Sequence[object]) -> str | None:
    """Return the name of the listed command line that equals this one word by word, None without one."""
    wanted = tuple(words)
    return next((name for name, listed in commands.items() if listed.command == wanted), None)


def _parse(value: Any) -> Any:
    """Read the JSON object; a list in place of an object is the command line alone."""
    if isinstance(value, str):
        try:
            value = json.loads(value) if value.strip() else {}
        except (ValueError, RecursionError):
            raise ValueError("must be a JSON object of command lines by name") from None
    if not isinstance(value, dict) or len(value) > MAX_COMMANDS:
        raise ValueError(f"must be a JSON object of at most {MAX_COMMANDS} command lines by name")
    for name in value:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise ValueError("names must have small letters, digits and hyphens")
    return {name: {"command": given} if isinstance(given, list) else given for name, given in value.items()}


McpCommands = Annotated[dict[str, McpCommand], NoDecode, BeforeValidator(_parse)]
