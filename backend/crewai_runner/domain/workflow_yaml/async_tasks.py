"""Checks of tasks that run in parallel: what CrewAI rejects, and what fails in a run."""

from collections.abc import Iterator

from crewai_runner.domain.workflow_yaml.members import DocumentMember
from crewai_runner.domain.workflow_yaml.problems import Problems


def check_async_tasks(tasks: list[DocumentMember], hierarchical: bool, problems: Problems) -> None:
    """Report every task that cannot run in parallel with the others."""
    for group in _find_groups(tasks):
        _check_agents(group, hierarchical, problems)
        _check_context(group, problems)
    last = list(_find_groups(tasks))[-1:] if tasks and tasks[-1].is_on("async_execution") else []
    for group in last:
        for task in group[1:]:
            message = (
                "A crew can end with one asynchronous task only. Add a last task that waits for all of "
                "them, or remove `async_execution` here."
            )
            problems.error(task.section.location("async_execution"), "async-at-the-end", message)
    for task in tasks:
        _check_human_input(task, problems)


def _find_groups(tasks: list[DocumentMember]) -> Iterator[list[DocumentMember]]:
    """Yield groups of consecutive asynchronous tasks; the tasks of a group run at the same time."""
    group: list[DocumentMember] = []
    for task in tasks:
        if task.is_on("async_execution"):
            group.append(task)
        elif group:
            yield group
            group = []
    if group:
        yield group


def _check_agents(group: list[DocumentMember], hierarchical: bool, problems: Problems) -> None:
    busy: dict[object, DocumentMember] = {}
    for task in group:
        agent = "the manager" if hierarchical else task.get("agent")
        other = busy.get(agent) if agent is not None else None
        if other is not None:
            who = "the manager" if hierarchical else f"`{agent}`"
            fix = "Remove" if hierarchical else "Name another agent, or remove"
            message = (
                f"`{other.key}` runs at the same time and is also performed by {who}, "
                f"which runs one task at a time. {fix} `async_execution`."
            )
            location = task.section.location("async_execution" if hierarchical else "agent")
            problems.error(location, "async-same-agent", message)
        busy.setdefault(agent, task)


def _check_context(group: list[DocumentMember], problems: Problems) -> None:
    earlier: set[str] = set()
    for task in group:
        for number, name in enumerate(task.names("context")):
            if name in earlier:
                message = (
                    f"`{name}` runs at the same time, so its result is not available yet. "
                    f"Remove `async_execution` from `{name}` or from `{task.key}`."
                )
                problems.error(task.section.location("context", number), "async-context", message)
        earlier.add(task.key)


def _check_human_input(task: DocumentMember, problems: Problems) -> None:
    if task.is_on("human_input") and task.is_on("async_execution"):
        message = "A task with human input cannot run in parallel with others. Remove `async_execution`."
        problems.error(task.section.location("human_input"), "async-human-input", message)
