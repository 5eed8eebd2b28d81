"""Errors of runs."""

from crewai_runner.core.errors import Conflict, NotFound, Unprocessable


class RunNotFound(NotFound):
    slug = "run-not-found"
    title = "Run not found"

    def __init__(self, run_id: str) -> None:
        super().__init__(
            f"Run {run_id!r} does not exist in this workspace. It may have been deleted.", run_id=run_id
        )


class ArtifactNotFound(NotFound):
    slug = "artifact-not-found"
    title = "Artifact not found"


class RunAlreadyFinished(Conflict):
    slug = "run-already-finished"
    title = "Run already finished"


class RunStillActive(Conflict):
    slug = "run-still-active"
    title = "Run still active"


class RunElsewhere(Conflict):
    """The run is executed elsewhere, and only reports here."""

    slug = "run-elsewhere"
    title = "The run is executed elsewhere"

    def __init__(self) -> None:
        super().__init__(
            "The run is executed elsewhere and only reports here. "
            "Stop it, repeat it or talk to it where it was started."
        )


class RunNotResumable(Conflict):
    slug = "run-not-resumable"
    title = "Run cannot be resumed"


class InputsInvalid(Unprocessable):
    slug = "inputs-invalid"
    title = "Inputs are not valid"
