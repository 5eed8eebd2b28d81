"""The crews that Python code builds, as the definitions of a `crew.jsonc`."""

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from crewai_runner.domain.field_types import excerpt
from crewai_runner.domain.workflow_yaml.omissions import LossKind
from crewai_runner.domain.workflow_yaml.python_project.configs import ConfigFiles, ConfigMember
from crewai_runner.domain.workflow_yaml.python_project.constructions import (
    AGENT,
    TASK,
    Construction,
    Site,
    list_decorated,
    list_sites,
    resolve,
)
from crewai_runner.domain.workflow_yaml.python_project.containers import list_items
from crewai_runner.domain.workflow_yaml.python_project.members import ArgumentReader, Findings
from crewai_runner.domain.workflow_yaml.python_project.scopes import PythonProject, Scope
from crewai_runner.domain.workflow_yaml.python_project.source import NotData, name_target

_AGENT_SKIPPED = frozenset({"config", "name"})
_TASK_SKIPPED = frozenset({"config", "name", "agent", "context"})
_CREW_SKIPPED = frozenset({"agents", "tasks", "manager_agent", "verbose", "name"})
_SPACE = re.compile(r"\s+")
_MAX_KEY = 60
_SECTIONS = {AGENT: "agents", TASK: "tasks"}


@dataclass
class CodeCrew:
    """A crew in code: its definition, its findings, and the positions of all constructions it consists of."""

    site: Site
    definition: dict[str, Any]
    findings: Findings
    positions: set[tuple[str, int, int]] = field(default_factory=set)


class CrewReader:
    """Reads the crew that one `Crew(...)` in the code builds."""

    def __init__(self, project: PythonProject, configs: ConfigFiles, files: Mapping[str, str]) -> None:
        self._project = project
        self._findings = Findings()
        self._arguments = ArgumentReader(project, configs, files, self._findings)
        self._keys: dict[str, dict[tuple[tuple[str, int, int], ...], str]] = {"agents": {}, "tasks": {}}
        self._bodies: dict[str, dict[str, Any]] = {"agents": {}, "tasks": {}}

    def read(self, site: Site) -> CodeCrew:
        """Return the crew. Its agents or tasks are empty if only running the code shows which they are."""
        crew = site.construction
        given = {word.arg: word.value for word in crew.call.keywords}
        for made in self._list_members(AGENT, given.get("agents"), site):
            self._add(made)
        tasks = self._list_members(TASK, given.get("tasks"), site)
        for made in tasks:
            self._add(made)
        for made in tasks:
            self._complete_task(made)
        definition = self._arguments.read_arguments(crew, "crew", _CREW_SKIPPED)
        manager = given.get("manager_agent")
        if manager is not None and not (isinstance(manager, ast.Constant) and manager.value is None):
            self._add_manager(manager, crew, definition)
        definition |= self._bodies
        if isinstance(name := given.get("name"), ast.Constant) and isinstance(name.value, str):
            definition["name"] = name.value
        positions = {
            position for keys in self._keys.values() for identity in keys for position in identity[:1]
        }
        return CodeCrew(site, definition, self._findings, positions)

    def _list_members(self, kind: str, node: ast.expr | None, site: Site) -> list[Construction]:
        section, scope = _SECTIONS[kind], site.construction.scope
        decorated = self._list_decorated(kind, site)
        if node is None or (decorated and name_target(node) in (section, f"self.{section}")):
            return decorated
        try:
            items = list_items(node, scope, self._project)
        except NotData:
            return self._list_written(kind, node, site)
        found: list[Construction] = []
        for item in items:
            made = resolve(item.value, item.scope, self._project)
            if made is not None and made.kind == kind:
                found.append(made)
            else:
                reason = f"Item {len(found) + 1} of the crew's {section} is Python code."
                self._omit(section, reason, item.scope, item.value, kind)
        return found

    def _omit(self, path: str, reason: str, scope: Scope, node: ast.expr, kind: str) -> None:
        loss = LossKind.AGENT if kind == AGENT else LossKind.TASK
        self._findings.omit(path, reason, scope.module.path, node.lineno, loss)

    def _list_decorated(self, kind: str, site: Site) -> list[Construction]:
        """Return what the methods with @agent or @task of the crew's class make."""
        if site.owner is None:
            return []
        found: list[Construction] = []
        scope = Scope(site.construction.scope.module, site.owner)
        for method in list_decorated(site.owner, kind.lower()):
            reference = ast.Attribute(ast.Name("self"), method.name)
            call = ast.Call(reference, [], [])
            for node in (reference, call):
                node.lineno, node.col_offset = method.lineno, method.col_offset
            made = resolve(call, scope, self._project)
            if made is not None and made.kind == kind:
                found.append(made)
            else:
                path = f"{_SECTIONS[kind]}.{excerpt(method.name)}"
                self._omit(path, "The method that makes it is Python code.", scope, call, kind)
        return found

    def _list_written(self, kind: str, node: ast.expr, site: Site) -> list[Construction]:
        """Return all that are written in the same function, class or file, when code chooses among them."""
        module, section = site.construction.scope.module, _SECTIONS[kind]
        sites = list(list_sites(module, kind))
        near = [item for item in sites if item.function is site.function and item.owner is site.owner]
        chosen = near or [item for item in sites if site.owner and item.owner is site.owner] or sites
        reason = f"Python code chooses the crew's {section}: all that are written beside it were taken."
        if not chosen:
            reason = f"Python code makes the crew's {section}."
        self._omit(section, reason, site.construction.scope, node, kind)
        return [item.construction for item in chosen]

    def _add(self, made: Construction) -> str:
        """Add an agent or a task once; return its key."""
        section = _SECTIONS[made.kind]
        if made.identity in self._keys[section]:
            return self._keys[section][made.identity]
        config = self._arguments.find_config(made, section, f"{section}.{excerpt(made.name)}")
        wanted = config.key if config is not None else made.name or _read_name(made)
        key, number = wanted, 2
        while key in self._bodies[section]:
            key, number = f"{wanted}_{number}", number + 1
        self._keys[section][made.identity] = key
        path = f"{section}.{excerpt(key)}"
        self._findings.places[path] = (made.file, made.call.lineno)
        skipped = _AGENT_SKIPPED if made.kind == AGENT else _TASK_SKIPPED
        body = self._read_config(config, path)
        self._bodies[section][key] = body
        given = self._arguments.read_arguments(made, path, skipped)
        body |= {name: value for name, value in given.items() if value is not None or name not in body}
        if config is None and any(word.arg == "config" for word in made.call.keywords):
            reason = "Its `config` is not in a YAML file of the upload."
            kind = LossKind.AGENT if made.kind == AGENT else LossKind.TASK
            self._findings.omit(f"{path}.config", reason, made.file, made.call.lineno, kind)
            if not {"role", "description"} & set(body):
                self._findings.lost[section].append(key)
        return key

    def _read_config(self, config: ConfigMember | None, path: str) -> dict[str, Any]:
        if config is None:
            return {}
        for name in config.body:
            line = config.file.lines.get(f"{config.key}.{name}", 0)
            self._findings.places[f"{path}.{name}"] = (config.file.path, line)
        return dict(config.body)

    def _complete_task(self, made: Construction) -> None:
        """Add the agent and the context that the code gives to a task."""
        key = self._keys["tasks"][made.identity]
        body, path = self._bodies["tasks"][key], f"tasks.{excerpt(key)}"
        given = {word.arg: word.value for word in made.call.keywords}
        if "agent" in given:
            self._set_agent(body, given["agent"], made, path)
        elif isinstance(body.get("agent"), str):
            self._resolve_agent_name(body)
        if "context" in given:
            self._set_context(body, given["context"], made, path)

    def _set_agent(self, body: dict[str, Any], node: ast.expr, made: Construction, path: str) -> None:
        agent = resolve(node, made.scope, self._project)
        if agent is not None and agent.kind == AGENT:
            body["agent"] = self._add(agent)
        elif not (isinstance(node, ast.Constant) and node.value is None):
            body.pop("agent", None)
            agents = self._bodies["agents"]
            chosen = next(iter(agents)) if len(agents) == 1 else None
            reason = "Python code chooses the agent."
            if chosen is not None:
                body["agent"], reason = chosen, f"{reason} The only agent was taken."
            self._findings.omit(f"{path}.agent", reason, made.file, node.lineno, LossKind.AGENT)

    def _resolve_agent_name(self, body: dict[str, Any]) -> None:
        """Replace the name of a method in a YAML file by the key of the agent that it makes."""
        name = body["agent"].strip()
        if name in self._bodies["agents"]:
            return
        for identity, key in self._keys["agents"].items():
            function = self._name_function(identity)
            if function == name:
                body["agent"] = key

    def _name_function(self, identity: tuple[tuple[str, int, int], ...]) -> str | None:
        file, line, _ = identity[0]
        for module in self._project.modules:
            if module.path != file:
                continue
            for site in list_sites(module, AGENT):
                if site.construction.call.lineno == line and site.function is not None:
                    return site.function.name
        return None

    def _set_context(self, body: dict[str, Any], node: ast.expr, made: Construction, path: str) -> None:
        if isinstance(node, ast.Constant) and node.value is None:
            return
        try:
            items = list_items(node, made.scope, self._project)
        except NotData:
            self._findings.omit(f"{path}.context", "It is Python code.", made.file, node.lineno)
            return
        keys: list[str] = []
        for item in items:
            task = resolve(item.value, item.scope, self._project)
            key = self._keys["tasks"].get(task.identity) if task is not None else None
            if key is not None:
                keys.append(key)
            else:
                reason = f"Task {len(keys) + 1} of the context is not one of this crew, or it is Python code."
                self._findings.omit(f"{path}.context", reason, made.file, item.value.lineno)
        body["context"] = keys

    def _add_manager(self, node: ast.expr, crew: Construction, definition: dict[str, Any]) -> None:
        manager = resolve(node, crew.scope, self._project)
        if manager is not None and manager.kind == AGENT:
            definition["manager_agent"] = self._add(manager)
        else:
            self._findings.omit("manager_agent", "It is Python code.", crew.file, node.lineno, LossKind.AGENT)


def _read_name(made: Construction) -> str:
    """Return a key for an agent or a task without a name in the code: its role, else its kind."""
    for word in made.call.keywords:
        if word.arg in ("role", "name") and isinstance(word.value, ast.Constant):
            text = _SPACE.sub(" ", str(word.value.value)).strip()
            if text and len(text) <= _MAX_KEY and "{" not in text:
                return text
    return made.kind.lower()
