"""Tasks that run side by side: what CrewAI refuses when it builds a crew, and what fails when it runs."""

from collections.abc import Iterator

from crewai_runner.domain.workflow_yaml.drafts import Draft
from crewai_runner.domain.workflow_yaml.problems import Problems


def check_async(tasks: list[Draft], hierarchical: bool, problems: Problems) -> None:
    """Reports every task that cannot run beside the others."""
    for group in _groups(tasks):
        _check_agents(group, hierarchical, problems)
        _check_context(group, problems)
    last = list(_groups(tasks))[-1:] if tasks and tasks[-1].is_on("async_execution") else []
    for group in last:
        for task in group[1:]:
            message = (
                "A crew ends with at most one asynchronous task. Let a task that waits for all of them "
                "come last, or remove `async_execution` here."
            )
            problems.error(task.found.place("async_execution"), "async-at-the-end", message)
    for task in tasks:
        _check_human(task, problems)


def _groups(tasks: list[Draft]) -> Iterator[list[Draft]]:
    """Runs of asynchronous tasks without another task between them: these run at the same time."""
    group: list[Draft] = []
    for task in tasks:
        if task.is_on("async_execution"):
            group.append(task)
        elif group:
            yield group
            group = []
    if group:
        yield group


def _check_agents(group: list[Draft], hierarchical: bool, problems: Problems) -> None:
    busy: dict[object, Draft] = {}
    for task in group:
        agent = "the manager" if hierarchical else task.get("agent")
        other = busy.get(agent) if agent is not None else None
        if other is not None:
            who = "the manager" if hierarchical else f"`{agent}`"
            mend = "Remove" if hierarchical else "Name another agent, or remove"
            message = (
                f"`{other.key}` runs at the same time and is done by {who} too, "
                f"who can do one thing at a time. {mend} `async_execution`."
            )
            place = task.found.place("async_execution" if hierarchical else "agent")
            problems.error(place, "async-same-agent", message)
        busy.setdefault(agent, task)


def _check_context(group: list[Draft], problems: Problems) -> None:
    earlier: set[str] = set()
    for task in group:
        for number, name in enumerate(task.names("context")):
            if name in earlier:
                message = (
                    f"`{name}` runs at the same time, so its result is not there yet. "
                    f"Remove `async_execution` from `{name}` or from `{task.key}`."
                )
                problems.error(task.found.place("context", number), "async-context", message)
        earlier.add(task.key)


def _check_human(task: Draft, problems: Problems) -> None:
    if task.is_on("human_input") and task.is_on("async_execution"):
        message = "A task that waits for a person cannot run beside others. Remove `async_execution`."
        problems.error(task.found.place("human_input"), "async-human-input", message)
