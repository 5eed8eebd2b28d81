"""Conversion of CrewAI's own project files to documents. No code of a project is executed."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import PurePosixPath
from typing import Any

from crewai_runner.domain.workflow_yaml.crewai_files import (
    MAX_CREWS,
    CrewFiles,
    CrewSource,
    NotACrewProject,
    find_crews,
    name_crew,
    read_crew_json,
    read_yaml,
)
from crewai_runner.domain.workflow_yaml.cross_references import Registry
from crewai_runner.domain.workflow_yaml.export_snapshot import find_snapshot
from crewai_runner.domain.workflow_yaml.imported_document import ImportedDocument, to_document
from crewai_runner.domain.workflow_yaml.omissions import ImportFinding, LossKind, Omission
from crewai_runner.domain.workflow_yaml.problems import Problems
from crewai_runner.domain.workflow_yaml.project_files import list_file_losses
from crewai_runner.domain.workflow_yaml.python_files import PythonCrews, read_config, read_python
from crewai_runner.domain.workflow_yaml.python_project.crews import CodeCrew


@dataclass(frozen=True)
class ImportedProject:
    """The documents of a project's crews, and what of the project belongs to none of them."""

    documents: list[ImportedDocument]
    omissions: list[Omission] = field(default_factory=list)

    @property
    def warnings(self) -> list[ImportFinding]:
        return [omission.to_finding() for omission in self.omissions]


@dataclass(frozen=True)
class ProjectFiles:
    """The files of a project: the texts that are read, the paths of all, and why texts were not read."""

    texts: Mapping[str, str]
    paths: Collection[str] = ()
    unread: Mapping[str, str] = field(default_factory=dict)


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
    source = _read_pair({"agents.yaml": agents_yaml, "tasks.yaml": tasks_yaml}, "agents.yaml", "tasks.yaml")
    source.definition = {**(crew or {}), **source.definition}
    return to_document(source, registry or Registry(mcp_servers=None))


def from_crewai_project(
    files: ProjectFiles | Mapping[str, str], registry: Registry | None = None
) -> ImportedProject:
    """Convert a project's files (by path) to a document for each of its crews.

    A crew is a `crew.jsonc` with its `agents/`, a `Crew(...)` in Python code with the YAML files that it
    names, or else an `agents.yaml` with its `tasks.yaml`. No code is executed. A crew that cannot be read
    is an omission of the project. Raises NotACrewProject when no crew can be read.
    """
    if not isinstance(files, ProjectFiles):
        files = ProjectFiles(files, list(files))
    known = registry or Registry(mcp_servers=None)
    code = read_python(files.texts)
    crews, omissions = find_crews(files.texts)
    taken = {path for crew in code.crews for path, _ in crew.findings.config_members}
    crews = [crew for crew in crews if crew.json or not {crew.agents, crew.tasks} & taken]
    omissions = [omission for omission in omissions if omission.path not in taken]
    converters = [
        *((crew.source, partial(_convert_crew, crew, files.texts, known, code)) for crew in crews),
        *(
            (_locate_crew(crew), partial(_convert_code, crew, files.texts, known, code))
            for crew in code.crews
        ),
    ]
    if not converters:
        raise NotACrewProject(_describe_absence(code), [item.to_finding() for item in code.omissions[:20]])
    documents, errors = _convert_all(converters, omissions)
    if not documents:
        raise errors[0]
    python = {path: text for path, text in files.texts.items() if path.endswith(".py")}
    omissions += code.omissions
    omissions += list_file_losses(files.paths, python, code.knowledge_files, files.unread)
    return ImportedProject(documents, [_place_at_path(omission, files.texts) for omission in omissions])


def _describe_absence(code: PythonCrews) -> str:
    absence = (
        "There is neither a crew.jsonc, nor an agents.yaml with a tasks.yaml, nor a `Crew(...)` in Python"
    )
    made = next((item for item in code.omissions if item.kind is LossKind.CREW), None)
    return f"{absence} that can be read." + (f" {made.path}: {made.reason}" if made is not None else "")


def _convert_all(
    converters: Sequence[tuple[str, Callable[[], ImportedDocument]]], omissions: list[Omission]
) -> tuple[list[ImportedDocument], list[NotACrewProject]]:
    documents: list[ImportedDocument] = []
    errors: list[NotACrewProject] = []
    for source, convert in converters[:MAX_CREWS]:
        try:
            documents.append(convert())
        except NotACrewProject as error:
            errors.append(error)
            omissions.append(Omission(source, _describe(error), LossKind.CREW))
    omissions += [
        Omission(source, f"At most {MAX_CREWS} crews are imported.", LossKind.CREW)
        for source, _ in converters[MAX_CREWS:]
    ]
    return documents, errors


def _place_at_path(omission: Omission, files: Mapping[str, str]) -> Omission:
    """Add the place of an omission whose path is a file, or a file with a line."""
    file, _, line = omission.path.rpartition(":")
    if line.isdecimal() and file in files:
        return omission.at(file, int(line))
    return omission.at(omission.path, 0) if omission.path in files else omission


def _describe(error: NotACrewProject) -> str:
    return " ".join([str(error), *(problem.message for problem in error.problems[:1])])


def _locate_crew(crew: CodeCrew) -> str:
    made = crew.site.construction
    return f"{made.file}:{made.call.lineno}"


def _convert_crew(
    crew: CrewFiles, files: Mapping[str, str], registry: Registry, code: PythonCrews
) -> ImportedDocument:
    omissions: list[Omission] = []
    if crew.json:
        snapshot, omissions = find_snapshot(files, crew.folder)
        if snapshot is not None:
            return ImportedDocument(snapshot, source=crew.source)
        source = read_crew_json(crew, files)
        fallback = crew.json
    else:
        source = _read_pair(files, crew.agents, crew.tasks)
        fallback = crew.tasks
    source.omissions[:0] = omissions
    source.definition = {"name": crew.name, **source.definition}
    return to_document(source, registry, crew.source, code, fallback)


def _read_pair(files: Mapping[str, str], agents_path: str, tasks_path: str) -> CrewSource:
    source = CrewSource({})
    for section, path in (("agents", agents_path), ("tasks", tasks_path)):
        source.definition[section] = read_yaml(path, files[path])
        config = read_config(path, files[path], Problems(files[path]))
        for key, line in config.lines.items() if config is not None else ():
            source.places[f"{section}.{key}"] = (path, line)
    return source


def _convert_code(
    crew: CodeCrew, files: Mapping[str, str], registry: Registry, code: PythonCrews
) -> ImportedDocument:
    made = crew.site.construction
    several = len(code.crews) > 1
    home = PurePosixPath(made.file).parent
    name = name_crew(files, home, crew.site.label if several else None)
    definition = {"name": name, **crew.definition}
    lost = crew.findings.lost
    source = CrewSource(definition, list(crew.findings.omissions), places=crew.findings.places)
    source.lost_agents = set(lost["agents"])
    for section, keys in lost.items():
        kept = {key: body for key, body in definition[section].items() if key not in keys}
        definition[section] = kept
    return to_document(source, registry, _locate_crew(crew), code, made.file)
