"""The YAML files that crew classes take their agents and tasks from."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from crewai_runner.domain.workflow_yaml.python_project.scopes import Scope
from crewai_runner.domain.workflow_yaml.python_project.source import list_bindings

_AGENT_KEYS = frozenset({"role", "goal", "backstory"})
_TASK_KEYS = frozenset({"description", "expected_output"})


@dataclass(frozen=True)
class ConfigFile:
    """A YAML file with agents or tasks by name, and the line of each key as `name` or `name.key`."""

    path: str
    members: Mapping[str, dict[str, Any]]
    lines: Mapping[str, int]


@dataclass(frozen=True)
class ConfigMember:
    file: ConfigFile
    key: str

    @property
    def body(self) -> dict[str, Any]:
        return self.file.members[self.key]


class ConfigFiles:
    """Finds agents and tasks in the YAML files of a project."""

    def __init__(self, files: list[ConfigFile]) -> None:
        self._files = files

    def find(self, key: str, scope: Scope, kind: str = "") -> ConfigMember | None:
        """Return the member of a name in the file that the class names, else in the nearest file.

        `kind` is `agents` or `tasks`; without it, either will do.
        """
        named = _list_named(scope)
        wanted = {"agents": _AGENT_KEYS, "tasks": _TASK_KEYS}.get(kind, _AGENT_KEYS | _TASK_KEYS)
        found = [file for file in self._files if key in file.members]
        fitting = [file for file in found if wanted & set(file.members[key])] or found
        if not fitting:
            return None
        home = PurePosixPath(scope.module.path).parent

        def rank(file: ConfigFile) -> tuple[bool, int]:
            is_named = any(str(home / name) == file.path or file.path.endswith(f"/{name}") for name in named)
            return not is_named, _distance(home, PurePosixPath(file.path).parent)

        return ConfigMember(min(fitting, key=rank), key)


def _list_named(scope: Scope) -> list[str]:
    if scope.owner is None:
        return []
    bound = [item.value for name, items in list_bindings(scope.owner.body).items() if name.endswith("config")
             for item in items]  # fmt: skip
    texts = [node.value for node in bound if isinstance(node, ast.Constant)]
    return [text.lstrip("./") for text in texts if isinstance(text, str)]


def _distance(one: PurePosixPath, other: PurePosixPath) -> int:
    common = sum(1 for _ in _iterate_common(one.parts, other.parts))
    return len(one.parts) + len(other.parts) - 2 * common


def _iterate_common(one: tuple[str, ...], other: tuple[str, ...]) -> Iterator[str]:
    for left, right in zip(one, other, strict=False):
        if left != right:
            return
        yield left
