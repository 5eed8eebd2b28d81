"""Tokens of links that work once."""

import hashlib
import secrets
from datetime import timedelta
from enum import StrEnum

INVITATION_LIFETIME = timedelta(days=7)
RESET_LIFETIME = timedelta(hours=24)


class LinkPurpose(StrEnum):
    """What a link is for; a token works for its purpose only."""

    INVITATION = "invitation"
    PASSWORD_RESET = "password-reset"  # noqa: S105  # a purpose, no password


LINK_PATHS = {LinkPurpose.INVITATION: "/invitation", LinkPurpose.PASSWORD_RESET: "/password-reset"}
"""The dashboard's pages. The token is in the fragment, which browsers send to no server."""


def new_token() -> str:
    return secrets.token_urlsafe(32)


def hash_token(purpose: LinkPurpose, token: str) -> str:
    return hashlib.sha256(f"crewai-runner {purpose}\0{token}".encode("utf-8", "surrogatepass")).hexdigest()


def make_path(purpose: LinkPurpose, token: str) -> str:
    return f"{LINK_PATHS[purpose]}#{token}"
