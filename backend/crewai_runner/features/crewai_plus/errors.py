"""Errors of the routes for CrewAI's own tools."""

from http import HTTPStatus

from crewai_runner.core.errors import AppError, Forbidden, TooLarge, Unprocessable


class GrantNotForExecution(Forbidden):
    """The token of a grant is for one execution only."""

    slug = "grant-not-for-execution"
    title = "The grant is for another execution"


class SpansUnreadable(Unprocessable):
    slug = "spans-unreadable"
    title = "The spans cannot be read"


class TooManySpans(TooLarge):
    slug = "too-many-spans"
    title = "Too many spans"


class EncodingUnknown(AppError):
    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    slug = "encoding-unknown"
    title = "Unsupported encoding"
