"""What can go wrong with saved workflows."""

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
            f"There is no workflow {workflow_id!r} here. It may have been deleted.", workflow_id=workflow_id
        )


class VersionNotFound(NotFound):
    slug = "workflow-version-not-found"
    title = "Workflow version not found"

    def __init__(self, workflow_id: str, number: int) -> None:
        super().__init__(
            f"Workflow {workflow_id} has no version {number}.", workflow_id=workflow_id, version=number
        )


class WorkflowNameTaken(Conflict):
    """Another workflow of the workspace has this name; `suggestion` is one that is free."""

    slug = "workflow-name-taken"
    title = "Name is taken"

    def __init__(self, name: str, owner_id: str | None, suggestion: str) -> None:
        super().__init__(
            f"There is a workflow named {name!r} already. "
            f"Write `name: {suggestion}`, or save this as a new version of that workflow.",
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
            f"{sentence(first)}{more}",
            errors=[{"pointer": pointer, "detail": sentence(problem)} for problem in problems],
            problems=_plain(problems),
        )


class ArchiveRefused(Unprocessable):
    """An uploaded archive that is no sound zip of a crew's text files; nothing was taken from it."""

    slug = "archive-refused"
    title = "Archive refused"


class ProjectUnreadable(Unprocessable):
    """Files that hold no crew; `problems` says what is wrong inside a file, when that is why."""

    slug = "project-unreadable"
    title = "Files hold no readable crew"

    def __init__(self, message: str, problems: Sequence[Problem]) -> None:
        details = [sentence(problem) for problem in problems] or [message]
        super().__init__(
            f"{message} {sentence(problems[0])}" if problems else message,
            errors=[{"pointer": "/", "detail": detail} for detail in details],
            problems=_plain(problems),
        )


class ContentTypeUnknown(AppError):
    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    slug = "unsupported-media-type"
    title = "Content type is not accepted"


def sentence(problem: Problem) -> str:
    """What is wrong, behind the line where it is."""
    return f"Line {problem.line}: {problem.message}" if problem.line else problem.message


def _plain(problems: Sequence[Problem]) -> list[dict[str, Any]]:
    return [problem.model_dump(mode="json") for problem in problems]
