"""Errors of workflows."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from crewai_runner.core.errors import AppError, Conflict, NotFound, Unprocessable
from crewai_runner.domain.workflow_yaml.problems import Problem


class WorkflowNotFound(NotFound):
    slug = "workflow-not-found"
    title = "Workflow not found"

    def __init__(self, workflow_id: str) -> None:
        super().__init__(
            f"Workflow {workflow_id!r} does not exist. It may have been deleted.", workflow_id=workflow_id
        )


class VersionNotFound(NotFound):
    slug = "workflow-version-not-found"
    title = "Workflow version not found"

    def __init__(self, workflow_id: str, number: int) -> None:
        super().__init__(
            f"Workflow {workflow_id} has no version {number}.", workflow_id=workflow_id, version=number
        )


class WorkflowNameTaken(Conflict):
    """Another workflow of the workspace has this name; `suggestion` is a name that is not taken."""

    slug = "workflow-name-taken"
    title = "Name is taken"

    def __init__(self, name: str, owner_id: str | None, suggestion: str) -> None:
        super().__init__(
            f"A workflow named {name!r} already exists. "
            f"Use `name: {suggestion}`, or save this as a new version of that workflow.",
            name=name,
            workflow_id=owner_id,
            suggestion=suggestion,
        )


class DocumentInvalid(Unprocessable):
    """The document has problems; `problems` lists all of them with line, column and path."""

    slug = "workflow-invalid"
    title = "Workflow document is not valid"

    def __init__(self, problems: Sequence[Problem], pointer: str = "/workflow/yaml") -> None:
        first = problems[0]
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        super().__init__(
            f"{format_problem(first)}{more}",
            errors=[{"pointer": pointer, "detail": format_problem(problem)} for problem in problems],
            problems=_to_json(problems),
        )


class ProjectUnreadable(Unprocessable):
    """The files do not contain a readable crew; `problems` lists the problems of one file, if any."""

    slug = "project-unreadable"
    title = "Files contain no readable crew"

    def __init__(self, message: str, problems: Sequence[Problem]) -> None:
        details = [format_problem(problem) for problem in problems] or [message]
        super().__init__(
            f"{message} {format_problem(problems[0])}" if problems else message,
            errors=[{"pointer": "/", "detail": detail} for detail in details],
            problems=_to_json(problems),
        )


class ContentTypeUnknown(AppError):
    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    slug = "unsupported-media-type"
    title = "Content type is not accepted"


def format_problem(problem: Problem) -> str:
    """Return the message of a problem, with its line if it has one."""
    return f"Line {problem.line}: {problem.message}" if problem.line else problem.message


def _to_json(problems: Sequence[Problem]) -> list[dict[str, Any]]:
    return [problem.model_dump(mode="json") for problem in problems]
