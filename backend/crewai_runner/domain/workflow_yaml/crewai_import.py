"""Conversion of CrewAI's own project files to documents. No code of a project is executed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from crewai_runner.domain.field_types import excerpt
from crewai_runner.domain.workflow_texts import AGENT_TEXTS, TASK_TEXTS, placeholder_names
from crewai_runner.domain.workflow_yaml.crewai_code import read_crew_code
from crewai_runner.domain.workflow_yaml.crewai_files import (
    MAX_CREWS,
    CrewFiles,
    CrewSource,
    NotACrewProject,
    find_crews,
    read_crew_json,
    read_yaml,
)
from crewai_runner.domain.workflow_yaml.cross_references import Registry
from crewai_runner.domain.workflow_yaml.export_snapshot import find_snapshot
from crewai_runner.domain.workflow_yaml.lenient_import import Omission, import_leniently
from crewai_runner.domain.workflow_yaml.nodes import NotADocument, Table, from_plain
from crewai_runner.domain.workflow_yaml.problems import Problem, Severity
from crewai_runner.domain.workflow_yaml.serialisation import dump

NOT_IMPORTED = "not-imported"
_MAX_COMMENTS = 50


@dataclass(frozen=True)
class ImportedDocument:
    """A document, and everything of its project that is not in it."""

    text: str
    omissions: list[Omission] = field(default_factory=list)
    source: str = ""
    """The folder or file of the crew within the project; empty for a document."""

    @property
    def warnings(self) -> list[Problem]:
        """The omissions as warnings. They have no line, because they are not in the document."""
        return [
            Problem(line=0, column=0, path=omission.path, code=NOT_IMPORTED, message=omission.describe(),
                    severity=Severity.WARNING)
            for omission in self.omissions
        ]  # fmt: skip


def from_crewai_files(
    agents_yaml: str,
    tasks_yaml: str,
    crew: Mapping[str, Any] | None = None,
    registry: Registry | None = None,
) -> ImportedDocument:
    """Convert `agents.yaml` and `tasks.yaml`, and optionally further keys of the crew, to one document.

    Names (`llm: my_llm`, `tools: [my_tool]`) stay names. Values that a document does not support, and
    tools that are not registered, are left out and listed. Raises NotACrewProject when a file is not
    valid YAML.
    """
    agents, tasks = read_yaml("agents.yaml", agents_yaml), read_yaml("tasks.yaml", tasks_yaml)
    source = CrewSource({**(crew or {}), "agents": agents, "tasks": tasks})
    return _to_document(source, registry or Registry(mcp_servers=None))


def from_crewai_project(files: Mapping[str, str], registry: Registry | None = None) -> list[ImportedDocument]:
    """Convert a project's files (by path) to a document for each of its crews.

    A crew is a `crew.jsonc` with its `agents/`, or an `agents.yaml` with its `tasks.yaml`, whose crew class
    is read without executing it. A crew that cannot be read is listed as an omission of the first one.
    Raises NotACrewProject when no crew can be read.
    """
    crews, omissions = find_crews(files)
    if not crews:
        raise NotACrewProject("There is neither a crew.jsonc nor an agents.yaml with a tasks.yaml.")
    known = registry or Registry(mcp_servers=None)
    documents: list[ImportedDocument] = []
    errors: list[NotACrewProject] = []
    for crew in crews[:MAX_CREWS]:
        try:
            documents.append(_convert_crew(crew, files, known, is_only=len(crews) == 1))
        except NotACrewProject as error:
            errors.append(error)
            omissions.append(Omission(crew.source, _describe(error)))
    omissions += [
        Omission(crew.source, f"At most {MAX_CREWS} crews are imported.") for crew in crews[MAX_CREWS:]
    ]
    if not documents:
        raise errors[0]
    documents[0].omissions.extend(omissions)
    return documents


def _describe(error: NotACrewProject) -> str:
    return " ".join([str(error), *(problem.message for problem in error.problems[:1])])


def _convert_crew(
    crew: CrewFiles, files: Mapping[str, str], registry: Registry, *, is_only: bool
) -> ImportedDocument:
    omissions: list[Omission] = []
    if crew.json:
        snapshot, omissions = find_snapshot(files, crew.folder)
        if snapshot is not None:
            return ImportedDocument(snapshot, source=crew.source)
        source = read_crew_json(crew, files)
    else:
        agents, tasks = (read_yaml(path, files[path]) for path in (crew.agents, crew.tasks))
        code = {path: files[path] for path in crew.list_code(files, is_only=is_only)}
        source = read_crew_code(agents, tasks, code)
    source.omissions[:0] = omissions
    source.definition = {"name": crew.name, **source.definition}
    return _to_document(source, registry, crew.source)


def _to_document(crew: CrewSource, registry: Registry, source: str = "") -> ImportedDocument:
    try:
        node = from_plain(crew.definition)
    except NotADocument as error:
        raise NotACrewProject(str(error)) from None
    document, omissions = import_leniently(node) if isinstance(node, Table) else ({}, [])
    omissions = [*crew.omissions, *omissions]
    _leave_out_unregistered(document, registry, omissions)
    _leave_out_lost_agents(document, crew.lost_agents, omissions)
    _declare_inputs(document)
    return ImportedDocument(_format_comments(omissions) + dump(document), omissions, source)


def _leave_out_unregistered(document: dict[str, Any], registry: Registry, omissions: list[Omission]) -> None:
    """Remove tools and MCP servers that are not registered: a document with unknown ones is not valid."""
    known = (("tools", "tool", registry.tools), ("mcps", "MCP server", registry.mcp_servers))
    for section in ("agents", "tasks"):
        for key, member in document[section].items():
            for attribute, kind, registered in known:
                names = member.get(attribute)
                if not isinstance(names, list) or registered is None:
                    continue
                found = [registry.find(attribute, name) for name in names]
                member[attribute] = [name for name in found if name is not None]
                omissions += [
                    Omission(f"{section}.{excerpt(key)}.{attribute}", f"No {kind} `{name}` is registered.")
                    for name, registered in zip(names, found, strict=True)
                    if registered is None
                ]
                if not member[attribute]:
                    del member[attribute]


def _leave_out_lost_agents(document: dict[str, Any], lost: set[str], omissions: list[Omission]) -> None:
    """Remove what depends on agents that could not be read. Raises NotACrewProject if no task is left."""
    is_hierarchical = document.get("process") == "hierarchical"
    tasks: dict[str, dict[str, Any]] = document["tasks"]
    removed: set[str] = set()
    for key, task in list(tasks.items()):
        if task.get("agent") not in lost:
            continue
        agent = excerpt(str(task.pop("agent")))
        if is_hierarchical:
            omissions.append(Omission(f"tasks.{excerpt(key)}.agent", f"`{agent}` was left out."))
        else:
            del tasks[key]
            removed.add(key)
            omissions.append(Omission(f"tasks.{excerpt(key)}", f"Its agent `{agent}` was left out."))
    for key, task in tasks.items():
        context = task.get("context")
        names = context if isinstance(context, list) else []
        for name in [name for name in names if name in removed]:
            names.remove(name)
            omissions.append(Omission(f"tasks.{excerpt(key)}.context", f"`{excerpt(name)}` was left out."))
    if document.get("manager_agent") in lost:
        del document["manager_agent"]
    if lost and not (tasks and document["agents"]):
        raise NotACrewProject(" ".join(omission.describe() for omission in omissions[:3]))


def _declare_inputs(document: dict[str, Any]) -> None:
    """Declare the inputs that texts use; CrewAI's own format does not declare them."""
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
        declared.setdefault(name, {"type": "any"})
    if declared:
        document["inputs"] = declared


def _format_comments(omissions: list[Omission]) -> str:
    if not omissions:
        return ""
    lines = [f"#   {omission.path}: {omission.reason}" for omission in omissions[:_MAX_COMMENTS]]
    more = [f"#   and {len(omissions) - _MAX_COMMENTS} more"] if len(omissions) > _MAX_COMMENTS else []
    text = "\n".join(["# Left out of the imported project:", *lines, *more, ""])
    return "".join(char if char.isprintable() or char == "\n" else "?" for char in text)
