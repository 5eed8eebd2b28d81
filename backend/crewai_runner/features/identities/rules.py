"""What the claims of an issuer mean here."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from crewai_runner.core.issuer_settings import IssuerSettings
from crewai_runner.core.principal import BUILTIN_WORKSPACE
from crewai_runner.core.roles import WorkspaceRole
from crewai_runner.features.people.schemas import Email

MAX_GROUPS = 5000
MAX_SUBJECT_LENGTH = 255
MAX_PATH_LENGTH = 500
RANKS = {role: rank for rank, role in enumerate(WorkspaceRole)}
_EMAIL: TypeAdapter[str] = TypeAdapter(Email)

Grants = Mapping[str, WorkspaceRole]
"""Roles by workspace."""


@dataclass(frozen=True, slots=True)
class ExternalPerson:
    """Someone as an issuer describes them. `email` is set only if the issuer has verified it.

    `label` is what the issuer calls the account; `sid` is the issuer's own session.
    """

    subject: str
    name: str
    label: str
    email: str | None
    groups: Sequence[str]
    sid: str | None


def read_person(issuer: IssuerSettings, claims: Mapping[str, Any]) -> ExternalPerson | None:
    """Return what the claims say about a person; None if they do not say who it is."""
    subject = claims.get("sub")
    if (
        not isinstance(subject, str)
        or not 0 < len(subject) <= MAX_SUBJECT_LENGTH
        or not subject.isprintable()
    ):
        return None
    email = _read_email(claims.get("email")) if issuer.email_verified_claim else None
    is_verified = _is_true(claims.get(issuer.email_verified_claim))
    shown = _read_text(claims.get("preferred_username")) or email or subject
    sid = claims.get("sid")
    return ExternalPerson(
        subject=subject,
        name=(_read_text(claims.get("name")) or shown)[:200],
        label=(email or shown)[:320],
        email=email if is_verified else None,
        groups=read_groups(claims, issuer.groups_claim),
        sid=sid if isinstance(sid, str) and len(sid) <= MAX_SUBJECT_LENGTH and sid.isprintable() else None,
    )


def needs_userinfo(issuer: IssuerSettings, claims: Mapping[str, Any]) -> bool:
    """Whether an ID token lacks something that the issuer may say elsewhere."""
    lacks_groups = bool(issuer.roles) and _find_claim(claims, issuer.groups_claim) is None
    lacks_email = (
        bool(issuer.email_verified_claim) and not {"email", issuer.email_verified_claim} <= claims.keys()
    )
    return lacks_groups or lacks_email


def read_groups(claims: Mapping[str, Any], name: str) -> Sequence[str]:
    """Return the groups; a claim that is a single text is one group."""
    value = _find_claim(claims, name)
    listed = value if isinstance(value, list) else [value]
    return [group for group in listed[:MAX_GROUPS] if isinstance(group, str) and group]


def find_grants(issuer: IssuerSettings, groups: Sequence[str]) -> Grants:
    """Return the role in each workspace that the groups give: of several the one with most rights."""
    grants: dict[str, WorkspaceRole] = {}
    if issuer.default_role is not None:
        grants[BUILTIN_WORKSPACE] = issuer.default_role
    given = set(groups)
    for rule in issuer.roles:
        if rule.group in given:
            grants[rule.workspace] = max(
                rule.role, grants.get(rule.workspace, rule.role), key=RANKS.__getitem__
            )
    return grants


def clean_next_path(path: str) -> str:
    """Return a path of the dashboard to open after signing in; `/` for anything else."""
    is_path = path.startswith("/") and not path.startswith(("//", "/\\", "/sign-in"))
    return path if is_path and len(path) <= MAX_PATH_LENGTH and path.isprintable() else "/"


def make_identity_id(issuer: str, subject: str) -> str:
    """Return a name of an identity for addresses."""
    digest = hashlib.sha256(f"crewai-runner identity\0{issuer}\0{subject}".encode()).hexdigest()
    return f"ident_{digest[:32]}"


def _find_claim(claims: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401  # JSON
    """Return a claim by its name, or by its path, such as `realm_access.roles`; None if there is none."""
    if name in claims:
        return claims[name]
    value: Any = claims
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _is_true(value: object) -> bool:
    """Some issuers send texts or numbers instead of booleans."""
    return value == 1 or (isinstance(value, str) and value.lower() in ("true", "1"))


def _read_email(value: object) -> str | None:
    try:
        return _EMAIL.validate_python(value)
    except ValidationError:
        return None


def _read_text(value: object) -> str:
    """Return printable text: neither control characters nor those that turn the direction of a line."""
    return "".join(filter(str.isprintable, value)).strip() if isinstance(value, str) else ""
