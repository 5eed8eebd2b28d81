"""Projects, versions and logs in the words of CrewAI AMP. Pure functions."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from crewai_runner.features.projects.deployments.rules import escape_markup
from crewai_runner.features.projects.deployments.schemas import (
    Deployed,
    DeploymentEntry,
    DeploymentLogLine,
    DeploymentRead,
    DeploymentState,
)
from crewai_runner.features.projects.schemas import BuildState, ProjectEntry, ProjectRead, VersionDetails

_STATES: Mapping[BuildState, DeploymentState] = {
    BuildState.QUEUED: "Deploy Enqueued",
    BuildState.BUILDING: "Deploy in Progress",
    BuildState.READY: "Crew is Online",
    BuildState.FAILED: "Deploy Failed",
}


def describe_entry(project: ProjectEntry) -> DeploymentEntry:
    return DeploymentEntry(name=project.name, uuid=project.id, status=_STATES[project.status])


def describe_project(project: ProjectRead, base_url: str) -> DeploymentRead:
    entry, build = describe_entry(project), project.version.build
    error = build.error if build.status is BuildState.FAILED else None
    return DeploymentRead(
        **entry.model_dump(),
        version=project.newest_version,
        public_url=_locate(project, base_url),
        error_message=error,
    )


def describe_deployed(project: ProjectRead, base_url: str, messages: Sequence[str]) -> Deployed:
    return Deployed(
        **describe_entry(project).model_dump(),
        version=project.newest_version,
        public_url=_locate(project, base_url),
        message=" ".join(messages) or None,
    )


def list_log_lines(version: VersionDetails, texts: Iterable[str]) -> list[DeploymentLogLine]:
    """Return the log of a version: its note and warnings, the log of its build, and the build's error."""
    build = version.build
    lines = [_line(version.created_at, "INFO", version.note)] if version.note else []
    lines += [_line(version.created_at, "WARNING", warning) for warning in version.inspection.warnings]
    started_at = build.started_at or version.created_at
    lines += [_line(started_at, "INFO", line) for line in "".join(texts).splitlines()]
    if build.error is not None:
        lines.append(_line(build.finished_at or started_at, "ERROR", build.error))
    return lines


def _line(at: datetime, level: str, message: str) -> DeploymentLogLine:
    return DeploymentLogLine.model_validate(
        {"timestamp": at, "level": level, "message": escape_markup(message)}
    )


def _locate(project: ProjectEntry, base_url: str) -> str:
    return f"{base_url}/amp/{project.slug}"
