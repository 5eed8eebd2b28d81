"""Checks of the OpenID Connect issuers at which people sign in."""

import asyncio
from collections.abc import Iterator

from sqlalchemy import Connection, inspect, text

from crewai_runner.core.settings import Settings
from crewai_runner.features.identities.errors import IssuerUnavailable
from crewai_runner.features.identities.service import Issuer, Issuers
from crewai_runner.operations.doctor.finding import Finding, fail, ok, warn


def check_issuers(settings: Settings) -> Iterator[Finding]:
    """Ask every issuer for its addresses and keys."""
    for issuer in Issuers.create(settings.oidc_issuers, settings.public_url).all:
        yield from asyncio.run(_check_issuer(issuer))


async def _check_issuer(issuer: Issuer) -> list[Finding]:
    settings = issuer.settings
    try:
        metadata = await issuer.client.read_metadata()
        await issuer.client.read_keys(None)
    except IssuerUnavailable as error:
        hint = "compare the issuer with `issuer` in its own discovery document, and check the network"
        return [fail("sign-in", f"{settings.name}: {error.reason}", hint)]
    findings = [ok("sign-in", f"{settings.name} answers; its redirect URI must be {issuer.redirect_uri}")]
    if metadata.code_challenge_methods_supported is not None and (
        "S256" not in metadata.code_challenge_methods_supported
    ):
        hint = "turn PKCE with S256 on for this client"
        findings.append(warn("sign-in", f"{settings.name} does not say that it supports PKCE", hint))
    if settings.default_role is not None:
        message = f"everyone with an account at {settings.name} becomes {settings.default_role}"
        findings.append(warn("sign-in", message, "remove default_role unless that is what you want"))
    if settings.default_role is None and not settings.roles:
        message = f"no group of {settings.name} has a role: only invited people can sign in"
        findings.append(warn("sign-in", message, "add roles to the issuer in OIDC_ISSUERS"))
    return findings


def check_workspaces(connection: Connection, settings: Settings) -> Iterator[Finding]:
    """Check that the workspaces exist in which groups have a role."""
    named = {role.workspace for issuer in settings.oidc_issuers for role in issuer.roles}
    if not named or not inspect(connection).has_table("workspaces"):
        return
    known = set(connection.execute(text("SELECT id FROM workspaces")).scalars())
    if missing := sorted(named - known):
        hint = "`crewai-runner workspace list` shows the ids of all workspaces"
        yield fail("sign-in", f"OIDC_ISSUERS names workspaces that do not exist: {', '.join(missing)}", hint)
