"""Errors of authentication and authorization."""

from collections.abc import Iterable

from crewai_runner.core.errors import Conflict, Forbidden, TooManyRequests, Unauthenticated
from crewai_runner.core.principal import Scope

_CHALLENGE = {"WWW-Authenticate": "Bearer"}
"""HTTP requires it of every 401."""


class InvalidApiKey(Unauthenticated):
    """The API key is missing or wrong; one message for both, to reveal nothing about the key."""

    def __init__(self) -> None:
        super().__init__("Send a valid API key as `Authorization: Bearer <key>`.", headers=_CHALLENGE)


class SessionEnded(Unauthenticated):
    slug = "session-ended"
    title = "Signed out"

    def __init__(self) -> None:
        super().__init__("The session of this browser has ended. Sign in again.", headers=_CHALLENGE)


class GroupsUnchecked(Unauthenticated):
    """Whoever was removed from a group must not keep rights because the issuer does not answer."""

    slug = "groups-unchecked"
    title = "Your groups cannot be read"

    def __init__(self) -> None:
        super().__init__(
            "The service that you sign in with does not answer, so what you may do is not known. Sign in "
            "again, or wait until the service is back.",
            headers=_CHALLENGE,
        )


class CrossSiteRequest(Forbidden):
    slug = "cross-site-request"
    title = "Request from another site"


class TooManySignInFailures(TooManyRequests):
    slug = "too-many-failed-sign-ins"
    title = "Too many failed sign-ins"

    def __init__(self, seconds: int) -> None:
        super().__init__(
            f"Too many failed sign-ins. Nothing is checked for the next {seconds} s; try again then.",
            headers={"Retry-After": str(seconds)},
        )


class ScopeMissing(Forbidden):
    slug = "scope-missing"
    title = "Not allowed"


class MoreThanOwnRights(Forbidden):
    """Granting needs what is granted."""

    slug = "more-than-own-rights"
    title = "More than your own rights"

    def __init__(self, scopes: Iterable[Scope]) -> None:
        missing = sorted(scopes)
        super().__init__(
            f"You cannot grant what you may not do yourself: {', '.join(missing)}.", scopes=missing
        )


class PersonNeeded(Conflict):
    slug = "person-needed"
    title = "Only for people"

    def __init__(self) -> None:
        super().__init__(
            "This is about your own account, but the request was made with a key of the server or the "
            "workspace. Sign in as a person."
        )
