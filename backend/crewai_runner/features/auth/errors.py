"""What can go wrong at the door."""

from crewai_runner.core.errors import Forbidden, TooManyRequests, Unauthenticated


class InvalidApiKey(Unauthenticated):
    """The same words for both, so that nothing is learnt from them."""

    def __init__(self) -> None:
        super().__init__(
            "Send a valid API key as `Authorization: Bearer <key>`.",
            headers={"WWW-Authenticate": "Bearer"},
        )


class TooManySignInFailures(TooManyRequests):
    slug = "too-many-failed-sign-ins"
    title = "Too many failed sign-ins"


class ScopeMissing(Forbidden):
    slug = "scope-missing"
    title = "Not allowed"
