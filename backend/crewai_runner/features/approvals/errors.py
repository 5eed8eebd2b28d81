"""What can go wrong with approvals."""

from crewai_runner.core.errors import Conflict, Gone, NotFound, Unprocessable


class ApprovalNotFound(NotFound):
    slug = "approval-not-found"
    title = "Approval not found"


class AlreadyResolved(Conflict):
    slug = "approval-already-resolved"
    title = "Already answered"


class ApprovalOver(Gone):
    slug = "approval-expired"
    title = "The question has expired"


class FeedbackMissing(Unprocessable):
    slug = "feedback-missing"
    title = "Feedback is missing"
