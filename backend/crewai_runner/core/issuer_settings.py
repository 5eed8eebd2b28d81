"""The setting OIDC_ISSUERS: where people sign in with OpenID Connect, and which groups give which role."""

import json
import re
import tomllib
from collections.abc import Sequence
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

from crewai_runner.core.client_key import find_signing_algorithm
from crewai_runner.core.principal import BUILTIN_WORKSPACE
from crewai_runner.core.roles import WorkspaceRole

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
RESERVED_PARAMETERS = frozenset(
    {
        *("client_id", "redirect_uri", "response_type", "response_mode", "scope", "state", "nonce"),
        *("code_challenge", "code_challenge_method", "request", "request_uri", "client_secret"),
        *("client_assertion", "client_assertion_type"),
    }
)
"""What each request to an issuer sets itself."""
_JSON_LIST = re.compile(r"\s*\[\s*[{\]]")


def check_public_url(value: str) -> str:
    """Return the address of this server without the slash at its end. Raises ValueError."""
    value = value.removesuffix("/")
    if value and (not _is_origin(value) or not _is_encrypted(value)):
        raise ValueError(
            "must be the address of the dashboard, such as https://crews.example.com, without a path; "
            "http only on this machine"
        )
    return value


def _check_issuer_url(value: str) -> str:
    parts = urlsplit(value)
    if not parts.hostname or parts.query or parts.fragment or "@" in parts.netloc or not _is_encrypted(value):
        raise ValueError("must be an https URL without query; http only on this machine")
    return value


def _check_client_key(value: SecretStr) -> SecretStr:
    find_signing_algorithm(value.get_secret_value())
    return value


def _check_parameters(value: dict[str, str]) -> dict[str, str]:
    if reserved := RESERVED_PARAMETERS & value.keys():
        raise ValueError(f"must not set {', '.join(sorted(reserved))}")
    return value


def _check_scopes(value: list[str]) -> list[str]:
    if "openid" not in value or any(not scope or " " in scope for scope in value):
        raise ValueError("must be a list of single scopes that contains openid")
    return value


class GroupRole(BaseModel):
    """The role that everyone in a group of the issuer has in a workspace."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    group: str = Field(min_length=1, max_length=500)
    role: WorkspaceRole
    workspace: str = Field(BUILTIN_WORKSPACE, pattern=r"^ws_[0-9A-Za-z_]{1,60}$")


class IssuerSettings(BaseModel):
    """An OpenID Connect issuer, and what it decides about people."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")
    """Names the issuer in addresses: the redirect URI ends with it."""
    name: str = Field(min_length=1, max_length=60)
    issuer: Annotated[str, Field(max_length=300), AfterValidator(_check_issuer_url)]
    client_id: str = Field(min_length=1, max_length=300)
    client_secret: SecretStr | None = None
    client_key: Annotated[SecretStr, AfterValidator(_check_client_key)] | None = None
    """A private key (PEM) in place of a secret: the method `private_key_jwt`."""
    client_key_id: str | None = Field(None, min_length=1, max_length=300)
    """What the issuer calls the public key."""
    client_key_audience: Literal["issuer", "token_endpoint"] = "issuer"
    """What the issuer wants to be called in the JWT."""
    scopes: Annotated[list[str], AfterValidator(_check_scopes)] = ["openid", "profile", "email"]
    parameters: Annotated[dict[str, str], AfterValidator(_check_parameters)] = {}
    """More parameters of the authorization request, such as `prompt`."""
    groups_claim: str = Field("groups", min_length=1, max_length=200)
    roles: list[GroupRole] = []
    default_role: WorkspaceRole | None = None
    """What everyone who has an account at the issuer may do in the first workspace, at least."""
    email_verified_claim: str = Field("email_verified", max_length=200)
    """Empty: e-mail addresses of this issuer are not used at all."""
    link_by_email: bool = False
    """Whether a verified address signs in to the account here that has it."""
    sign_out_at_issuer: bool = True

    @model_validator(mode="after")
    def _check_linking(self) -> "IssuerSettings":
        if self.link_by_email and not self.email_verified_claim:
            raise ValueError("link_by_email needs an email_verified_claim")
        return self

    @model_validator(mode="after")
    def _check_client(self) -> "IssuerSettings":
        if self.client_secret is not None and self.client_key is not None:
            raise ValueError("client_secret and client_key exclude each other")
        return self

    @property
    def hosts(self) -> frozenset[str]:
        """The host that the administrator has named, which may be in a private network."""
        return frozenset({(urlsplit(self.issuer).hostname or "").lower()})


def parse_issuers(value: Any) -> Any:
    """Read the setting, JSON or TOML, into a list of tables. Raises ValueError."""
    if not isinstance(value, str):
        return value
    if not value.strip():
        return []
    try:
        found = json.loads(value) if _JSON_LIST.match(value) else tomllib.loads(value).get("issuers")
    except ValueError:
        # Without the parser's message: it may quote a secret.
        raise ValueError("must be a JSON list, or TOML with [[issuers]] tables") from None
    if not isinstance(found, list):
        raise ValueError("TOML must have [[issuers]] tables")  # pydantic expects ValueError
    return found


def check_issuers(issuers: Sequence[IssuerSettings], public_url: str) -> None:
    """Check what concerns several settings. Raises ValueError."""
    if issuers and not public_url:
        raise ValueError("OIDC_ISSUERS needs PUBLIC_URL, the address that issuers send people back to")
    for name, values in (
        ("id", [issuer.id for issuer in issuers]),
        ("issuer", [issuer.issuer for issuer in issuers]),
    ):
        if len(set(values)) < len(values):
            raise ValueError(f"OIDC_ISSUERS has two issuers with the same {name}")


def _is_origin(value: str) -> bool:
    parts = urlsplit(value)
    return bool(parts.hostname) and value == f"{parts.scheme}://{parts.netloc}" and "@" not in parts.netloc


def _is_encrypted(value: str) -> bool:
    parts = urlsplit(value)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK_NAMES)
