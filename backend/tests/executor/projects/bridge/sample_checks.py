"""What every version of crewai reports for the sample crew."""

from tests.executor.projects.bridge.guest_process import GuestRun


def check_reviewed_run(run: GuestRun, reviews: int = 2) -> None:
    """Check a run of the sample whose note was reviewed: make it shorter, then accepted.

    crewai 0.70 asks for one review only.
    """
    assert run.exit_code == 0, run.output
    assert run.server.rejected == 0
    assert run.steps == [
        ("task.started", "research", "Researcher"),
        ("agent.started", "research", "Researcher"),
        ("tool.started", "research", "Researcher"),
        ("tool.completed", "research", "Researcher"),
        ("agent.completed", "research", "Researcher"),
        ("task.completed", "research", "Researcher"),
        ("task.started", "note", "Writer"),
        ("agent.started", "note", "Writer"),
        ("agent.completed", "note", "Writer"),
        ("task.completed", "note", "Writer"),
    ]
    assert run.data("tool.started").arguments == {"subject": "whales"}
    assert "FACT-42 about whales" in run.data("tool.completed").output
    results = run.translator.as_results()
    assert (results["research"].raw, results["note"].raw) == ("Facts about whales.", "The short note.")
    outputs = ["The first note.", "The short note."][:reviews]
    assert [(question.kind, question.task_key, question.output) for question in run.questions] == [
        ("review", "note", output) for output in outputs
    ]
    assert run.server.result is not None
    assert run.server.result.model_dump()["raw"] == "The short note."
