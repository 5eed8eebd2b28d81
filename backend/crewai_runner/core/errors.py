"""Base classes of the errors that the API reports to its callers."""

from http import HTTPStatus
from typing import ClassVar


class AppError(Exception):
    """An error that the caller can understand and act on.

    Any other exception is a bug and becomes an opaque 500. The members of `extra` are added to the
    problem document.
    """

    status: ClassVar[HTTPStatus] = HTTPStatus.INTERNAL_SERVER_ERROR
    slug: ClassVar[str] = "internal-error"
    title: ClassVar[str] = "Internal error"

    def __init__(self, detail: str, **extra: object) -> None:
        super().__init__(detail)
        self.detail = detail
        self.extra = extra


class BadRequest(AppError):
    status = HTTPStatus.BAD_REQUEST
    slug = "bad-request"
    title = "Bad request"


class Unauthenticated(AppError):
    status = HTTPStatus.UNAUTHORIZED
    slug = "unauthenticated"
    title = "Authentication required"


class Forbidden(AppError):
    status = HTTPStatus.FORBIDDEN
    slug = "forbidden"
    title = "Not allowed"


class NotFound(AppError):
    status = HTTPStatus.NOT_FOUND
    slug = "not-found"
    title = "Not found"


class Conflict(AppError):
    status = HTTPStatus.CONFLICT
    slug = "conflict"
    title = "Conflict"


class Gone(AppError):
    status = HTTPStatus.GONE
    slug = "gone"
    title = "Gone"


class StaleVersion(AppError):
    status = HTTPStatus.PRECONDITION_FAILED
    slug = "stale-version"
    title = "Changed by someone else"


class TooLarge(AppError):
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    slug = "too-large"
    title = "Too large"


class Unprocessable(AppError):
    """A well-formed request that cannot be carried out; `errors` lists `{pointer, detail}`."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    slug = "invalid-request"
    title = "Invalid request"


class TooManyRequests(AppError):
    status = HTTPStatus.TOO_MANY_REQUESTS
    slug = "too-many-requests"
    title = "Too many requests"


class StorageFull(AppError):
    status = HTTPStatus.INSUFFICIENT_STORAGE
    slug = "storage-full"
    title = "The disk is full"


class Unavailable(AppError):
    status = HTTPStatus.SERVICE_UNAVAILABLE
    slug = "unavailable"
    title = "Service unavailable"
