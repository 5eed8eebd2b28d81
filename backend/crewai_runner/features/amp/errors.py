"""Errors of the AMP run API."""

from crewai_runner.core.errors import Conflict, NotFound, Unprocessable


class AutomationNotFound(NotFound):
    slug = "automation-not-found"
    title = "Automation not found"

    def __init__(self, slug: str) -> None:
        super().__init__(f"No workflow and no project has the slug or id {slug!r}.")


class ExecutionNotFound(NotFound):
    slug = "execution-not-found"
    title = "Execution not found"

    def __init__(self, kickoff_id: str) -> None:
        super().__init__(f"There is no execution {kickoff_id!r} of this automation.", state="NOT FOUND")


class InputsMissing(Unprocessable):
    slug = "inputs-missing"
    title = "Inputs are missing"

    def __init__(self, names: list[str]) -> None:
        listed = ", ".join(f"`{name}`" for name in names)
        super().__init__(
            f"The automation needs values for {listed}. Send them in `inputs`.",
            errors=[{"pointer": f"/inputs/{name}", "detail": f"`{name}` is required."} for name in names],
            missing_inputs=names,
            details={"missing_inputs": names},
        )


class WebhookEventsUnknown(Unprocessable):
    slug = "webhook-events-unknown"
    title = "These events are not sent"


class NothingToReview(Conflict):
    slug = "nothing-to-review"
    title = "The execution waits for no feedback"
