"""Errors of approval requests."""

from crewai_runner.core.errors import Conflict, Forbidden, Gone, NotFound, Unprocessable


class ApprovalNotFound(NotFound):
    slug = "approval-not-found"
    title = "Approval not found"


class ApprovalNotYours(Forbidden):
    slug = "approval-not-yours"
    title = "Addressed to someone else"

    def __init__(self, addressee: str) -> None:
        super().__init__(
            f"This approval request is addressed to {addressee}. Only they and the owners of the "
            "workspace may answer it."
        )


class ApprovalAlreadyResolved(Conflict):
    slug = "approval-already-resolved"
    title = "Approval already resolved"


class ApprovalDeadlinePassed(Gone):
    """The request has expired, or its deadline has passed and it is about to expire."""

    slug = "approval-expired"
    title = "Approval expired"


class EditedOutputInvalid(Unprocessable):
    slug = "edited-output-invalid"
    title = "Edited output does not have the task's structure"


class EditedArgumentsInvalid(Unprocessable):
    slug = "edited-arguments-invalid"
    title = "Edited arguments do not fit the tool"


class ActionNotAllowed(Unprocessable):
    slug = "approval-action-not-allowed"
    title = "Action does not fit the approval request"


class FeedbackMissing(Unprocessable):
    slug = "feedback-missing"
    title = "Feedback is missing"
