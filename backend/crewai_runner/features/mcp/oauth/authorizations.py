"""Authorizations of MCP servers in a browser, and the refresh of their tokens.

Requests to other servers are made while no transaction is open: they may take seconds.
"""

from datetime import datetime, timedelta
from typing import NamedTuple
from urllib.parse import urlencode

from pydantic import SecretStr

from crewai_runner.core.clock import now
from crewai_runner.core.encryption import SecretUnreadable
from crewai_runner.core.logging import get_logger
from crewai_runner.core.principal import Principal
from crewai_runner.db.audit_log import audited_unit_of_work
from crewai_runner.db.session import read_session, unit_of_work
from crewai_runner.db.tables.mcp import McpServerRow
from crewai_runner.domain.mcp_server import McpAuth
from crewai_runner.features.mcp.errors import (
    McpAuthorizationFailed,
    McpAuthorizationInvalid,
    McpAuthorizationNotUsed,
    McpServerNotFound,
    PublicUrlMissing,
)
from crewai_runner.features.mcp.oauth.attempts import AuthorizationAttempt, open_attempt, server_of_state
from crewai_runner.features.mcp.oauth.client_document import CALLBACK_PATH
from crewai_runner.features.mcp.oauth.discovery import Discovered, choose_policy, discover
from crewai_runner.features.mcp.oauth.tokens import (
    GrantRefused,
    OAuthClient,
    TokenAnswer,
    choose_auth_method,
    exchange_code,
    refresh,
    register,
)
from crewai_runner.features.mcp.repository import McpServerRepository
from crewai_runner.features.mcp.schemas import McpAuthorizationFinish, McpAuthorizationStart
from crewai_runner.features.mcp.service import McpDeps, make_keyring

OFFLINE = "offline_access"
REFRESH_BEFORE = timedelta(minutes=10)
RETRY_AFTER = timedelta(minutes=2)
log = get_logger(__name__)


class _Settings(NamedTuple):
    """What a person has entered for a server, and who gave it tokens before."""

    url: str
    client_id: str | None
    client_secret: SecretStr | None
    issuer: str | None


class McpAuthorizations:
    """The authorizations of the caller's workspace."""

    def __init__(self, deps: McpDeps) -> None:
        self._deps, self._keyring = deps, make_keyring(deps.cipher, deps.mask)

    async def begin(self, principal: Principal, server_id: str) -> McpAuthorizationStart:
        """Find the authorization server and return where the browser continues.

        Raises McpServerNotFound, McpAuthorizationNotUsed, PublicUrlMissing, McpAuthorizationFailed.
        """
        url, client_id, secret, issuer = await self._read_settings(principal, server_id)
        if not self._deps.public_url:
            raise PublicUrlMissing
        found = await discover(url, self._deps.egress)
        if secret is not None and issuer not in (None, found.server.issuer):
            raise McpAuthorizationFailed(
                f"The MCP server now names another authorization server, {found.server.issuer}. "
                f"The secret of your client belongs to {issuer}: enter it again if this is right."
            )
        redirect_uri = self._deps.public_url + CALLBACK_PATH
        client, secret = await _make_client(
            found, client_id or self._choose_document(found), secret, redirect_uri
        )
        attempt = AuthorizationAttempt.begin(
            server_id,
            principal.subject,
            redirect_uri,
            client,
            None if secret is None else secret.get_secret_value(),
            has_issuer=found.server.authorization_response_iss_parameter_supported,
        )
        async with audited_unit_of_work(self._deps.sessions) as session:
            row = await McpServerRepository(session).get_for_update(server_id, principal.workspace_id)
            row.sealed_attempt = attempt.seal(self._deps.cipher)
        return McpAuthorizationStart(url=_make_url(found, attempt))

    async def finish(self, principal: Principal, body: McpAuthorizationFinish) -> str:
        """Exchange the code of an answer for tokens; return the id of the server.

        Raises McpAuthorizationInvalid, McpAuthorizationFailed.
        """
        server_id = server_of_state(body.state)
        try:
            async with unit_of_work(self._deps.sessions) as session:
                row = await McpServerRepository(session).get_for_update(server_id, principal.workspace_id)
                sealed, row.sealed_attempt = row.sealed_attempt, None  # it works once
                url = row.url
        except McpServerNotFound:
            raise McpAuthorizationInvalid from None
        attempt = open_attempt(
            self._deps.cipher, sealed, state=body.state, subject=principal.subject, issuer=body.iss
        )
        secret = None if attempt.client_secret is None else SecretStr(attempt.client_secret)
        answer = await exchange_code(
            attempt.client,
            secret,
            code=body.code,
            verifier=attempt.verifier,
            redirect_uri=attempt.redirect_uri,
            policy=await choose_policy(url, self._deps.egress),
        )
        async with audited_unit_of_work(self._deps.sessions) as session:
            row = await McpServerRepository(session).get_for_update(server_id, principal.workspace_id)
            if row.url != url or row.auth != McpAuth.OAUTH:
                raise McpAuthorizationInvalid
            row.oauth_client, row.authorized_by = attempt.client.model_dump(), principal.subject
            if row.oauth_client_id is None:
                plain = None if secret is None else secret.get_secret_value()
                row.sealed_client_secret = None if plain is None else self._deps.cipher.encrypt(plain)
            self._store(row, answer)
        return server_id

    def _choose_document(self, found: Discovered) -> str | None:
        """Return the client ID that is the address of our document, if the server reads such documents."""
        reads = found.server.client_id_metadata_document_supported
        return self._deps.client_document_url if reads else None

    async def _read_settings(self, principal: Principal, server_id: str) -> _Settings:
        async with read_session(self._deps.sessions) as session:
            row = await McpServerRepository(session).get(server_id, principal.workspace_id)
        if row.auth != McpAuth.OAUTH:
            raise McpAuthorizationNotUsed("Choose OAuth as the authentication of the server first.")
        secret = self._decrypt(row.sealed_client_secret) if row.oauth_client_id is not None else None
        issuer = None if row.oauth_client is None else OAuthClient.model_validate(row.oauth_client).issuer
        return _Settings(row.url, row.oauth_client_id, secret, issuer)

    async def refresh_due(self) -> None:
        """Refresh the tokens that expire soon, each in one process."""
        moment = now()
        async with read_session(self._deps.sessions) as session:
            due = await McpServerRepository(session).list_due_refreshes(moment)
        for server_id, seen in due:
            async with unit_of_work(self._deps.sessions) as session:
                repository = McpServerRepository(session)
                is_claimed = await repository.claim_refresh(server_id, seen, moment + RETRY_AFTER)
            if is_claimed:
                await self._refresh(server_id)

    async def _refresh(self, server_id: str) -> None:
        async with read_session(self._deps.sessions) as session:
            row = await McpServerRepository(session).get_for_refresh(server_id)
        if row is None or row.oauth_client is None:
            return
        client, url = OAuthClient.model_validate(row.oauth_client), row.url
        try:
            token, secret = self._decrypt(row.sealed_refresh_token), self._decrypt(row.sealed_client_secret)
            policy = await choose_policy(url, self._deps.egress)
            answer = await refresh(client, secret, token or SecretStr(""), policy)
        except (GrantRefused, SecretUnreadable) as error:
            log.warning("mcp.authorization_ended", server=server_id, reason=error.detail)
            await self._store_refreshed(server_id, row.sealed_refresh_token, None)
        except McpAuthorizationFailed as error:
            log.warning("mcp.refresh_failed", server=server_id, reason=error.detail)
        else:
            await self._store_refreshed(server_id, row.sealed_refresh_token, answer)

    async def _store_refreshed(self, server_id: str, used: str | None, answer: TokenAnswer | None) -> None:
        """Store new tokens, or that there are none any more, unless someone authorized meanwhile."""
        async with unit_of_work(self._deps.sessions) as session:
            row = await McpServerRepository(session).get_for_refresh(server_id, lock=True)
            if row is None or row.sealed_refresh_token != used:
                return
            if answer is not None:
                self._store(row, answer)
            else:
                row.sealed_refresh_token = row.token_refresh_at = None

    def _store(self, row: McpServerRow, answer: TokenAnswer) -> None:
        row.sealed_credential = self._keyring.encrypt(answer.access_token, row.workspace_id, row.id)
        row.credential_hint = None
        row.token_expires_at = answer.expires_at()
        if answer.refresh_token is not None:
            plain = answer.refresh_token.get_secret_value()
            row.sealed_refresh_token = self._deps.cipher.encrypt(plain)
        has_refresh = row.sealed_refresh_token is not None
        row.token_refresh_at = _refresh_time(row.token_expires_at) if has_refresh else None

    def _decrypt(self, sealed: str | None) -> SecretStr | None:
        return None if sealed is None else SecretStr(self._deps.cipher.decrypt(sealed))


async def _make_client(
    found: Discovered, client_id: str | None, secret: SecretStr | None, redirect_uri: str
) -> tuple[OAuthClient, SecretStr | None]:
    """Return this server as a client of the authorization server; without a client ID it registers."""
    method = choose_auth_method(found.server, secret)
    if client_id is None:
        registered = await register(found.server, redirect_uri, found.policy)
        client_id, secret = registered.client_id, registered.client_secret
        method = "none" if secret is None else registered.token_endpoint_auth_method
    client = OAuthClient(
        issuer=found.server.issuer,
        token_endpoint=found.server.token_endpoint,
        client_id=client_id,
        auth_method=method,
        resource=found.resource,
    )
    return client, secret


def _make_url(found: Discovered, attempt: AuthorizationAttempt) -> str:
    parameters = {
        "response_type": "code",
        "client_id": attempt.client.client_id,
        "redirect_uri": attempt.redirect_uri,
        "state": attempt.state,
        "code_challenge": attempt.challenge,
        "code_challenge_method": "S256",
        "resource": attempt.client.resource,
    }
    scopes = list(dict.fromkeys(found.scopes))
    if OFFLINE in found.server.scopes_supported:
        scopes = list(dict.fromkeys([*scopes, OFFLINE]))
        parameters["prompt"] = "consent"  # OpenID Connect gives refresh tokens only with consent
    if scopes:
        parameters["scope"] = " ".join(scopes)
    endpoint = found.server.authorization_endpoint
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(parameters)}"


def _refresh_time(expires_at: datetime) -> datetime:
    """Return when to refresh: ten minutes before the end, half-way through a shorter time."""
    left = expires_at - now()
    return expires_at - min(REFRESH_BEFORE, left / 2)
