"""Errors of approval requests."""

from crewai_runner.core.errors import Conflict, Gone, NotFound, Unprocessable


class ApprovalNotFound(NotFound):
    slug = "approval-not-found"
    title = "Approval not found"


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


class ActionNotAllowed(Unprocessable):
    slug = "approval-action-not-allowed"
    title = "Action does not fit the approval request"


class FeedbackMissing(Unprocessable):
    slug = "feedback-missing"
    title = "Feedback is missing"
