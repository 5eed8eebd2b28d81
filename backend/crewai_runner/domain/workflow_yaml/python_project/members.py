"""The arguments that code gives to agents, tasks and crews, as keys of a workflow document."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from crewai_runner.domain.workflow_texts import AGENT_TEXTS, TASK_TEXTS
from crewai_runner.domain.workflow_yaml.omissions import LossKind, Omission
from crewai_runner.domain.workflow_yaml.python_project.configs import ConfigFiles, ConfigMember
from crewai_runner.domain.workflow_yaml.python_project.constructions import Construction
from crewai_runner.domain.workflow_yaml.python_project.containers import find_item, list_items
from crewai_runner.domain.workflow_yaml.python_project.schemas import build_schema
from crewai_runner.domain.workflow_yaml.python_project.scopes import Bound, PythonProject, Scope
from crewai_runner.domain.workflow_yaml.python_project.source import NotData, name_of
from crewai_runner.domain.workflow_yaml.python_project.values import Evaluator, name_input

_TEXTS = frozenset((*AGENT_TEXTS, *TASK_TEXTS))
_SCHEMAS = frozenset({"output_pydantic", "output_json", "response_model"})
_KNOWLEDGE = "knowledge_sources"
_TEXT_ENDINGS = frozenset({".txt", ".md", ".csv", ".json", ".rst", ".html", ".yaml", ".yml"})
_CODE = "It is Python code."
_MAX_CONFIG_DEPTH = 4


@dataclass
class Findings:
    """What was left out of a crew, and where its values are written, by path in the document."""

    omissions: list[Omission] = field(default_factory=list)
    places: dict[str, tuple[str, int]] = field(default_factory=dict)
    used_files: set[str] = field(default_factory=set)
    """Knowledge files whose text was taken over."""
    config_members: set[tuple[str, str]] = field(default_factory=set)
    """File and key of the YAML mappings that were taken."""
    lost: dict[str, list[str]] = field(default_factory=lambda: {"agents": [], "tasks": []})
    """Keys of the agents and tasks whose definition cannot be found."""

    def omit(self, path: str, reason: str, file: str, line: int, kind: LossKind | None = None) -> None:
        self.omissions.append(Omission(path, reason, kind, file, line))


class ArgumentReader:
    """Reads the arguments of constructions. What is not data becomes an omission of the findings."""

    def __init__(
        self, project: PythonProject, configs: ConfigFiles, files: Mapping[str, str], findings: Findings
    ) -> None:
        self._project = project
        self._configs = configs
        self._files = files
        self._findings = findings
        self._evaluator = Evaluator(project, self._find_body)

    def _find_body(self, key: str, scope: Scope) -> Mapping[str, Any] | None:
        found = self._configs.find(key, scope)
        if found is None:
            return None
        self._findings.config_members.add((found.file.path, key))
        return found.body

    def find_config(self, made: Construction, section: str, path: str) -> ConfigMember | None:
        """Return the YAML mapping in `config=self.agents_config["writer"]`."""
        node = next((word.value for word in made.call.keywords if word.arg == "config"), None)
        for key, is_changed in self._list_config_keys(node, made.scope) if node is not None else ():
            found = self._configs.find(key, made.scope, section)
            if found is not None:
                self._findings.config_members.add((found.file.path, key))
                if is_changed:
                    reason = "Python code changes the mapping of the YAML file: it was taken unchanged."
                    line = made.call.lineno
                    self._findings.omit(f"{path}.config", reason, made.file, line, LossKind.CHANGED)
                return found
        return None

    def _list_config_keys(self, node: ast.expr, scope: Scope, depth: int = 0) -> Iterator[tuple[str, bool]]:
        """Yield the keys in `self.agents_config["writer"]` or `self.agents_config.get("writer")`.

        With each is whether it is inside of something else, such as the call of a function.
        """
        for inner in ast.walk(node):
            match inner:
                case ast.Subscript(slice=ast.Constant(value=str() as key)):
                    yield key, depth > 0 or inner is not node
                case ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant(value=str() as key), *_]):
                    yield key, depth > 0 or inner is not node
                case ast.Name(id=name) if depth < _MAX_CONFIG_DEPTH:
                    bound = self._project.lookup(name, scope, inner.lineno)
                    if bound is not None and bound.scope.function is not None:
                        is_direct = inner is node
                        yield from (
                            (key, is_changed if is_direct else True)
                            for key, is_changed in self._list_config_keys(
                                bound.value, bound.scope, depth + (not is_direct)
                            )
                        )

    def read_arguments(self, made: Construction, path: str, skipped: frozenset[str]) -> dict[str, Any]:
        """Return the arguments that are data, without the `skipped` ones."""
        values: dict[str, Any] = {}
        for word in made.call.keywords:
            if word.arg in skipped:
                continue
            inner = f"{path}.{word.arg or '**'}"
            self._findings.places[inner] = (made.file, word.value.lineno)
            try:
                if word.arg is None:
                    values |= self._read_unpacked(word.value, made.scope)
                else:
                    values[word.arg] = self._read(word.arg, word.value, made.scope, inner)
            except NotData as error:
                self._omit_code(word, made, inner, str(error), values)
            self._add_notes(inner)
        return values

    def _read_unpacked(self, node: ast.expr, scope: Scope) -> dict[str, Any]:
        value = self._evaluator.evaluate(node, scope)
        if not isinstance(value, dict):
            raise NotData
        return value

    def _omit_code(
        self, word: ast.keyword, made: Construction, path: str, reason: str, values: dict[str, Any]
    ) -> None:
        line = word.value.lineno
        if word.arg in _TEXTS:
            name = name_input(word.value)
            values[word.arg] = f"{{{name}}}"
            reason = f"Python code computes it: it became the input `{name}`."
            self._findings.omit(path, reason, made.file, line, LossKind.CHANGED)
        else:
            self._findings.omit(path, reason or _CODE, made.file, line)

    def _add_notes(self, path: str) -> None:
        for note in self._evaluator.notes:
            self._findings.omit(path, note.reason, note.file, note.line, LossKind.CHANGED)
        self._evaluator.notes.clear()

    def _read(self, name: str, node: ast.expr, scope: Scope, path: str) -> Any:
        if name in ("tools", "mcps"):
            return self._read_tools(node, scope, path)
        if name in _SCHEMAS and not (isinstance(node, ast.Constant) and node.value is None):
            return self._read_schema(node, scope, path)
        if name == _KNOWLEDGE:
            return self._read_knowledge(node, scope, path)
        return self._evaluator.evaluate(node, scope)

    def _read_schema(self, node: ast.expr, scope: Scope, path: str) -> dict[str, Any]:
        schema, lacks = build_schema(node, scope, self._project)
        for lack in lacks:
            self._findings.omit(path, lack, scope.module.path, node.lineno, LossKind.OUTPUT_SCHEMA)
        return schema

    def _read_tools(self, node: ast.expr, scope: Scope, path: str) -> list[str]:
        names: list[str] = []
        for item in list_items(node, scope, self._project):
            name = self._name_tool(item)
            if name is None:
                reason = f"`{_shorten(item.value)}` is Python code."
                self._findings.omit(path, reason, item.scope.module.path, item.value.lineno, LossKind.TOOL)
            else:
                names.append(name)
        return list(dict.fromkeys(names))

    def _name_tool(self, item: Bound, depth: int = 0) -> str | None:
        node, scope = item.value, item.scope
        self._project.count_step(depth)
        match node:
            case ast.Constant(value=str() as name):
                return name
            case ast.Call():
                return name_of(node.func)
            case ast.Name(id=name):
                bound = self._project.lookup(name, scope, node.lineno)
            case ast.Attribute(attr=name):
                bound = self._project.resolve_attribute(node, scope)
            case ast.Subscript():
                name, bound = "", find_item(node, scope, self._project)
            case _:
                return None
        if bound is not None and isinstance(bound.value, ast.Name | ast.Attribute | ast.Call | ast.Subscript):
            return self._name_tool(bound, depth + 1)
        return name or None

    def _read_knowledge(self, node: ast.expr, scope: Scope, path: str) -> list[str]:
        texts: list[str] = []
        for item in list_items(node, scope, self._project):
            call = self._resolve_source(item)
            try:
                if call is None or not isinstance(call.value, ast.Call):
                    raise NotData
                texts += self._read_source(call.value, call.scope, path)
            except NotData:
                reason = f"`{_shorten(item.value)}` is Python code."
                self._findings.omit(
                    path, reason, item.scope.module.path, item.value.lineno, LossKind.KNOWLEDGE
                )
        return texts

    def _resolve_source(self, item: Bound) -> Bound | None:
        node = item.value
        if isinstance(node, ast.Name):
            return self._project.lookup(node.id, item.scope, node.lineno)
        if isinstance(node, ast.Attribute):
            return self._project.resolve_attribute(node, item.scope)
        return item

    def _read_source(self, call: ast.Call, scope: Scope, path: str) -> list[str]:
        given = {word.arg: word.value for word in call.keywords}
        if name_of(call.func) == "StringKnowledgeSource" and "content" in given:
            return [str(self._evaluator.evaluate(given["content"], scope))]
        paths = given.get("file_paths", given.get("file_path"))
        if paths is None:
            raise NotData
        value = self._evaluator.evaluate(paths, scope)
        texts = []
        for name in value if isinstance(value, list) else [value]:
            found = self._find_file(str(name))
            if found is not None:
                texts.append(self._files[found])
                self._findings.used_files.add(found)
            else:
                reason = f"The file `{name}` is not in the upload, or its text cannot be read."
                self._findings.omit(path, reason, scope.module.path, call.lineno, LossKind.KNOWLEDGE)
        return texts

    def _find_file(self, name: str) -> str | None:
        """Return the nearest text file of this name in a `knowledge` folder or beside the code."""
        if PurePosixPath(name).suffix.lower() not in _TEXT_ENDINGS:
            return None
        endings = (f"knowledge/{name}", name)
        found = [
            path for path in self._files if any(path == end or path.endswith(f"/{end}") for end in endings)
        ]
        return min(found, key=lambda path: (path.count("/"), path), default=None)


def _shorten(node: ast.expr) -> str:
    text = name_of(node) or type(node).__name__
    return text[:60]
