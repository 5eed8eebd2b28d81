"""Builds the prompt for questions about a run. Pure."""

from collections.abc import Sequence

from crewai_runner.features.runs.schemas import RunRead, RunTaskRead

MAX_CONTEXT_CHARACTERS = 12_000


def build_messages(run: RunRead, tasks: Sequence[RunTaskRead], question: str) -> list[dict[str, str]]:
    """Return the messages of one model call: the facts of the run, then the user's question."""
    facts = "\n".join(_describe_run(run, tasks))[:MAX_CONTEXT_CHARACTERS]
    system = (
        "You answer questions about one run of a crew of AI agents. Use only the facts below; "
        "say so when they do not contain the answer. Be brief.\n\n" + facts
    )
    return [{"role": "system", "content": system}, {"role": "user", "content": question}]


def _describe_run(run: RunRead, tasks: Sequence[RunTaskRead]) -> list[str]:
    lines = [f"Workflow: {run.workflow_name}", f"State: {run.status}"]
    if run.wait_reason:
        lines.append(f"Waiting for: {run.wait_reason}")
    if run.error:
        lines.append(f"Error: {run.error.message}")
    lines += [f"Input {name}: {str(value)[:500]}" for name, value in run.inputs.items()]
    output_limit = MAX_CONTEXT_CHARACTERS // max(1, len(tasks))
    for task in tasks:
        lines.append(f"Task {task.key} (agent {task.agent or 'manager'}): {task.status}")
        if task.result is not None:
            lines.append(f"Output of {task.key}: {task.result.raw[:output_limit]}")
    return lines
