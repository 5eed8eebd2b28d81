"""The document of an imported crew: what it supports of the crew, and every omission with its place."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from crewai_runner.domain.field_types import excerpt
from crewai_runner.domain.tool_classes import describe_difference
from crewai_runner.domain.tools import find_tool
from crewai_runner.domain.workflow_texts import AGENT_TEXTS, TASK_TEXTS, placeholder_names
from crewai_runner.domain.workflow_yaml.crewai_files import CrewSource, NotACrewProject
from crewai_runner.domain.workflow_yaml.cross_references import Registry
from crewai_runner.domain.workflow_yaml.lenient_import import find_input_problem, import_leniently
from crewai_runner.domain.workflow_yaml.nodes import NotADocument, Table, from_plain
from crewai_runner.domain.workflow_yaml.omissions import ImportFinding, LossKind, Omission
from crewai_runner.domain.workflow_yaml.python_files import PythonCrews
from crewai_runner.domain.workflow_yaml.required_texts import complete_texts
from crewai_runner.domain.workflow_yaml.serialisation import dump

_MAX_COMMENTS = 50


@dataclass(frozen=True)
class ImportedDocument:
    """A document, and everything of its crew that is not in it."""

    text: str
    omissions: list[Omission] = field(default_factory=list)
    source: str = ""
    """The folder or file of the crew in the project, with the line if it is code; empty for a document."""

    @property
    def warnings(self) -> list[ImportFinding]:
        """The omissions as warnings."""
        return [omission.to_finding(self.source) for omission in self.omissions]


def to_document(
    crew: CrewSource,
    registry: Registry,
    source: str = "",
    code: PythonCrews | None = None,
    fallback: str = "",
) -> ImportedDocument:
    """Return the document of a crew. `fallback` is the file of omissions whose place is not known.

    Raises NotACrewProject when nothing of the crew is left.
    """
    code = code or PythonCrews()
    try:
        node = from_plain(crew.definition)
    except NotADocument as error:
        raise NotACrewProject(str(error)) from None
    document, omissions = import_leniently(node) if isinstance(node, Table) else ({}, [])
    omissions = [*crew.omissions, *omissions]
    _leave_out_unregistered(document, registry, omissions, code.custom_tools)
    _leave_out_lost_agents(document, crew.lost_agents, omissions)
    _leave_out_tasks_without_agent(document, omissions)
    _leave_out_manager_of_tasks(document, omissions)
    _leave_out_async_context(document, omissions)
    complete_texts(document, omissions)
    _declare_inputs(document, code.inputs)
    omissions = [_find_place(omission, crew.places, fallback) for omission in omissions]
    return ImportedDocument(_format_comments(omissions) + dump(document), omissions, source)


def _find_place(omission: Omission, places: Mapping[str, tuple[str, int]], fallback: str) -> Omission:
    """Add the place of the innermost known part of the omission's path."""
    path = omission.path
    while path:
        for known in (path, f"crew.{path}"):
            if known in places:
                return omission.at(*places[known])
        path = path.rpartition("[")[0] if path.endswith("]") else path.rpartition(".")[0]
    return omission.at(fallback, 0)


def _leave_out_tasks_without_agent(document: dict[str, Any], omissions: list[Omission]) -> None:
    """Remove the tasks whose agent only running the code shows: a sequential crew has no agent for them."""
    if document.get("process") == "hierarchical":
        return
    lost = {omission.path for omission in omissions if omission.kind is LossKind.AGENT}
    for key, task in list(document["tasks"].items()):
        if "agent" not in task and f"tasks.{excerpt(key)}.agent" in lost and len(document["tasks"]) > 1:
            _remove_task(document, key, "Its agent is not known.", omissions)


def _leave_out_manager_of_tasks(document: dict[str, Any], omissions: list[Omission]) -> None:
    """Remove the manager from tasks: it assigns them, and may not perform any itself."""
    manager = document.get("manager_agent")
    for key, task in document["tasks"].items():
        if manager is not None and task.get("agent") == manager:
            del task["agent"]
            reason = f"The manager `{excerpt(manager)}` assigns the task instead of performing it."
            omissions.append(Omission(f"tasks.{excerpt(key)}.agent", reason, LossKind.CHANGED))


def _leave_out_async_context(document: dict[str, Any], omissions: list[Omission]) -> None:
    """Let tasks run one after the other if one uses the output of another that runs at the same time."""
    tasks: dict[str, dict[str, Any]] = document["tasks"]
    running = {key for key, task in tasks.items() if task.get("async_execution") is True}
    for key, task in tasks.items():
        context = task.get("context")
        for name in context if isinstance(context, list) and key in running else ():
            if name in running and tasks[name].pop("async_execution", None):
                reason = f"`{excerpt(key)}` runs at the same time and uses its output."
                path = f"tasks.{excerpt(name)}.async_execution"
                omissions.append(Omission(path, reason, LossKind.CHANGED))


def _remove_task(document: dict[str, Any], key: str, reason: str, omissions: list[Omission]) -> None:
    tasks = document["tasks"]
    del tasks[key]
    omissions.append(Omission(f"tasks.{excerpt(key)}", reason, LossKind.TASK))
    for name, task in tasks.items():
        if isinstance(context := task.get("context"), list) and key in context:
            context.remove(key)
            omissions.append(Omission(f"tasks.{excerpt(name)}.context", f"`{excerpt(key)}` was left out."))


def _leave_out_unregistered(
    document: dict[str, Any],
    registry: Registry,
    omissions: list[Omission],
    custom: Mapping[str, tuple[str, int]],
) -> None:
    """Remove tools and MCP servers that are not registered: a document with unknown ones is not valid."""
    known = (("tools", "tool", registry.tools), ("mcps", "MCP server", registry.mcp_servers))
    for section in ("agents", "tasks"):
        for key, member in document[section].items():
            for attribute, kind, registered in known:
                names = member.get(attribute)
                if not isinstance(names, list) or registered is None:
                    continue
                path = f"{section}.{excerpt(key)}.{attribute}"
                kept: list[str] = []
                for name in names:
                    found = None if name in custom else registry.find(attribute, name)
                    if found is None:
                        omissions.append(_describe_unregistered(path, kind, name, custom))
                    else:
                        kept.append(found)
                        omissions += _describe_replaced(path, name, found)
                member[attribute] = list(dict.fromkeys(kept))
                if not kept:
                    del member[attribute]


def _describe_unregistered(
    path: str, kind: str, name: str, custom: Mapping[str, tuple[str, int]]
) -> Omission:
    place = custom.get(name.removeprefix("custom:"))
    if place is None:
        return Omission(path, f"No {kind} `{name}` is registered.", LossKind.TOOL)
    reason = f"`{name}` is a custom tool in Python, in line {place[1]} of {place[0]}."
    return Omission(path, reason, LossKind.TOOL)


def _describe_replaced(path: str, name: str, found: str) -> list[Omission]:
    is_same = find_tool(name) == found
    if is_same:
        return []
    reason = f"`{name}` became the tool `{found}`. {describe_difference(str(name)) or ''}".rstrip()
    return [Omission(path, reason, LossKind.CHANGED)]


def _leave_out_lost_agents(document: dict[str, Any], lost: set[str], omissions: list[Omission]) -> None:
    """Remove what depends on agents that could not be read. Raises NotACrewProject if no task is left."""
    is_hierarchical = document.get("process") == "hierarchical"
    tasks: dict[str, dict[str, Any]] = document["tasks"]
    for key, task in list(tasks.items()):
        if task.get("agent") not in lost:
            continue
        agent = excerpt(str(task.pop("agent")))
        if is_hierarchical:
            reason = f"`{agent}` was left out."
            omissions.append(Omission(f"tasks.{excerpt(key)}.agent", reason, LossKind.AGENT))
        else:
            _remove_task(document, key, f"Its agent `{agent}` was left out.", omissions)
    if document.get("manager_agent") in lost:
        del document["manager_agent"]
    if lost and not (tasks and document["agents"]):
        raise NotACrewProject(" ".join(omission.describe() for omission in omissions[:3]))


def _declare_inputs(document: dict[str, Any], values: Mapping[str, Any]) -> None:
    """Declare the inputs that texts use, with the values that the code starts the crew with as defaults."""
    names = [
        name
        for section, attributes in (("agents", AGENT_TEXTS), ("tasks", TASK_TEXTS))
        for member in document.get(section, {}).values()
        for attribute in attributes
        if isinstance(text := member.get(attribute), str)
        for name in placeholder_names(text)
    ]
    declared = dict(document.get("inputs", {}))
    for name in names:
        if name not in declared:
            declared[name] = _describe_input(name, values)
    if declared:
        document["inputs"] = declared


def _describe_input(name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    described = {"type": "any", "default": values[name]} if name in values else {"type": "any"}
    return described if find_input_problem(name, described) is None else {"type": "any"}


def _format_comments(omissions: list[Omission]) -> str:
    if not omissions:
        return ""
    lines = [f"#   {omission.path}: {omission.reason}" for omission in omissions[:_MAX_COMMENTS]]
    more = [f"#   and {len(omissions) - _MAX_COMMENTS} more"] if len(omissions) > _MAX_COMMENTS else []
    text = "\n".join(["# Left out of the imported project:", *lines, *more, ""])
    return "".join(char if char.isprintable() or char == "\n" else "?" for char in text)
