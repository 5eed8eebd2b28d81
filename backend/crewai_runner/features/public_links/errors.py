"""Errors of public links."""

from crewai_runner.core.errors import Conflict, Forbidden, NotFound


class PublicLinksOff(Forbidden):
    slug = "public-links-off"
    title = "Public links are off"

    def __init__(self) -> None:
        super().__init__("An owner of the workspace must allow public links in its settings first.")


class TooManyPublicLinks(Conflict):
    slug = "too-many-public-links"
    title = "Too many public links"

    def __init__(self, limit: int) -> None:
        super().__init__(f"The run has {limit} public links already. Revoke some first.")


class PublicLinkNotFound(NotFound):
    slug = "public-link-not-found"
    title = "Public link not found"

    def __init__(self, link_id: str) -> None:
        super().__init__(
            f"Public link {link_id!r} does not exist. It may have been revoked, or have expired."
        )


class SharedRunNotFound(NotFound):
    """One error for unknown, expired and revoked links, so that nothing is learnt by guessing."""

    slug = "shared-run-not-found"
    title = "The link is not valid"

    def __init__(self) -> None:
        super().__init__("This link has expired, was revoked, or never existed. Ask for a new one.")
