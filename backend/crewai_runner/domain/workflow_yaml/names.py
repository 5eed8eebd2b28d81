"""Kinds of names: of agents and tasks, tools, servers, models and files."""

import re
from dataclasses import dataclass

from crewai_runner.domain.workflow_yaml.kinds import Schema, Text
from crewai_runner.domain.workflow_yaml.mistakes import BAD, last, wrong_type
from crewai_runner.domain.workflow_yaml.nodes import Node, Scalar
from crewai_runner.domain.workflow_yaml.problems import Place, Problems, shown

INPUT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_\-]*")
"""CrewAI fills `{name}` for exactly these names; everything else between braces stays text."""

NAME = Text(
    100,
    re.compile(r"[^\s{}\[\]](?:[^{}\n\r\t]*[^\s{}])?"),
    "a name has no braces or line breaks, and no space at its ends",
)
MODEL_NAME = Text(
    200,
    re.compile(r"[^\s{}](?:[^{}\n\r\t]*[^\s{}])?"),
    "a model is named as it is registered, such as `gpt-4o-mini`",
)
INPUT = Text(
    64, INPUT_NAME, "an input's name has letters, digits, `_` and `-`, and does not begin with a digit"
)
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\- ]{0,98}[A-Za-z0-9_]|[A-Za-z0-9_]")
_CODE_PREFIXES = ("custom:", "platform:", "crewai_tools:", "python:")
_RESERVED = frozenset({"con", "prn", "aux", "nul"})
_FILE_NAME = r"^[^/\\{}<>|&;:*?\"~$.\s][^/\\{}<>|&;:*?\"~$]*$"


@dataclass(frozen=True)
class RegistryName:
    """The name of something an administrator registered, never code, an address or a command."""

    what: str
    """As in `a tool`."""
    examples: tuple[str, ...] = ()

    def read(self, node: Node, place: Place, problems: Problems) -> object:
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            return wrong_type(node, place, problems, f"the name of {self.what}")
        name = node.value
        if _PLAIN_NAME.fullmatch(name):
            return name
        code = "unsafe-key" if _names_code(name) else "bad-name"
        why = f"{self.what.capitalize()} is named as it is registered, with letters, digits, `_`, `-` and `.`"
        problems.error(
            place, code, f"`{shown(name)}` is not possible here. {why}; code, addresses and commands are not."
        )
        return BAD

    def schema(self) -> Schema:
        schema: Schema = {"type": "string", "pattern": r"^[A-Za-z0-9_]([A-Za-z0-9_.\- ]{0,98}[A-Za-z0-9_])?$"}
        if self.examples:
            schema["examples"] = list(self.examples)
        return schema

    def write(self, value: object) -> object:
        return value


def _names_code(name: str) -> bool:
    return ":" in name or "/" in name or "(" in name or name.startswith(_CODE_PREFIXES)


@dataclass(frozen=True)
class FileName:
    """A plain file name: no folder, no placeholder, nothing a shell or another system reads into it."""

    limit: int = 120

    def read(self, node: Node, place: Place, problems: Problems) -> object:
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            return wrong_type(node, place, problems, "text")
        trouble = self._trouble(node.value)
        if trouble is None:
            return node.value
        message = (
            f"`{shown(node.value)}` {trouble}. `{last(place)}` is a plain file name, such as `report.md`."
        )
        problems.error(place, "unsafe-path", message)
        return BAD

    def _trouble(self, name: str) -> str | None:
        if "{" in name or "}" in name:
            return "contains a placeholder, and an input must not decide where a file goes"
        if "/" in name or "\\" in name or ".." in name or name[:1] in {"~", "$", "."}:
            return "names a folder or a hidden file"
        if len(name) > self.limit:
            return f"is longer than {self.limit} characters"
        if not re.fullmatch(_FILE_NAME, name) or not name.isprintable() or name[-1] in " .":
            return "contains a character that file names should not have"
        stem = name.partition(".")[0].lower()
        return "is a name that some systems reserve" if stem in _RESERVED else None

    def schema(self) -> Schema:
        return {"type": "string", "pattern": _FILE_NAME, "maxLength": self.limit, "examples": ["report.md"]}

    def write(self, value: object) -> object:
        return value
