"""What a model is told about a run so that it can answer for it. Pure."""

from collections.abc import Sequence

from crewai_runner.features.runs.schemas import RunRead, RunTaskRead

MOST_CHARACTERS = 12_000


def questions_about(run: RunRead, tasks: Sequence[RunTaskRead], question: str) -> list[dict[str, str]]:
    """The messages of one model call: the run's facts, then the person's question."""
    facts = "\n".join(_facts(run, tasks))[:MOST_CHARACTERS]
    system = (
        "You answer questions about one run of a crew of AI agents. Use only the facts below; "
        "say so when they do not hold the answer. Be short.\n\n" + facts
    )
    return [{"role": "system", "content": system}, {"role": "user", "content": question}]


def _facts(run: RunRead, tasks: Sequence[RunTaskRead]) -> list[str]:
    lines = [f"Workflow: {run.workflow_name}", f"State: {run.status}"]
    if run.wait_reason:
        lines.append(f"It waits for: {run.wait_reason}")
    if run.error:
        lines.append(f"Error: {run.error.message}")
    lines += [f"Input {name}: {str(value)[:500]}" for name, value in run.inputs.items()]
    share = MOST_CHARACTERS // max(1, len(tasks))
    for task in tasks:
        lines.append(f"Task {task.key} (agent {task.agent or 'manager'}): {task.status}")
        if task.result is not None:
            lines.append(f"Output of {task.key}: {task.result.raw[:share]}")
    return lines
