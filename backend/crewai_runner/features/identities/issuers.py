"""The issuers of this server, and what their answers say about people."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import urlencode

from crewai_runner.core.issuer_settings import IssuerSettings
from crewai_runner.features.identities.attempts import SignInAttempt
from crewai_runner.features.identities.errors import AttemptInvalid, IdTokenInvalid, IssuerNotFound
from crewai_runner.features.identities.id_tokens import IdTokens
from crewai_runner.features.identities.issuer_client import IssuerClient, TokenAnswer
from crewai_runner.features.identities.rules import ExternalPerson, needs_userinfo, read_person

CALLBACK_PATH = "/sign-in/callback"
SIGN_IN_PATH = "/sign-in"
MAX_HINT_LENGTH = 4000
"""A longer ID token could make the address of the sign-out too long for a server on the way."""


class VerifiedAnswer(NamedTuple):
    """Who signed in, and the tokens of the sign-in; `id_token` is the newest one."""

    person: ExternalPerson
    refresh_token: str | None
    id_token: str | None


class Issuer:
    """Signs people in at one issuer. All methods raise IssuerUnavailable."""

    def __init__(self, settings: IssuerSettings, public_url: str) -> None:
        self.settings, self._public_url = settings, public_url
        self.client = IssuerClient(settings)
        self.tokens = IdTokens(self.client)

    @property
    def redirect_uri(self) -> str:
        """Each issuer has its own, so that the answer of one is never taken for that of another."""
        return f"{self._public_url}{CALLBACK_PATH}/{self.settings.id}"

    async def make_url(self, attempt: SignInAttempt) -> str:
        """Return the address at which the browser asks the issuer to sign the person in."""
        metadata = await self.client.read_metadata()
        parameters = self.settings.parameters | {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": " ".join(self.settings.scopes),
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": attempt.challenge,
            "code_challenge_method": "S256",
        }
        return _add_query(metadata.authorization_endpoint, parameters)

    async def finish(self, attempt: SignInAttempt, code: str, named_issuer: str | None) -> VerifiedAnswer:
        """Return who signed in; `named_issuer` is the `iss` of the answer (RFC 9207).

        Raises AttemptInvalid, IdTokenInvalid.
        """
        metadata = await self.client.read_metadata()
        is_required = metadata.authorization_response_iss_parameter_supported
        if named_issuer != metadata.issuer and (is_required or named_issuer is not None):
            raise AttemptInvalid
        answer = await self.client.exchange_code(code, attempt.verifier, self.redirect_uri)
        return await self._read(answer, attempt.nonce, None)

    async def refresh(self, refresh_token: str, subject: str) -> VerifiedAnswer:
        """Return what the issuer says about someone now. Raises RefreshRefused, IdTokenInvalid."""
        answer = await self.client.refresh(refresh_token)
        found = await self._read(answer, None, subject)
        # Issuers that do not replace refresh tokens send none.
        return found._replace(refresh_token=answer.refresh_token or refresh_token)

    async def make_sign_out_url(self, id_token: str | None) -> str | None:
        """Return the address at which the browser ends the issuer's session; None if there is none."""
        endpoint = (await self.client.read_metadata()).end_session_endpoint
        if endpoint is None or not self.settings.sign_out_at_issuer:
            return None
        parameters = {
            "client_id": self.settings.client_id,
            "post_logout_redirect_uri": self._public_url + SIGN_IN_PATH,
        }
        if id_token is not None and len(id_token) <= MAX_HINT_LENGTH:
            parameters["id_token_hint"] = id_token
        return _add_query(endpoint, parameters)

    async def _read(self, answer: TokenAnswer, nonce: str | None, subject: str | None) -> VerifiedAnswer:
        """Read the claims of the ID token, and of the userinfo endpoint if they are not enough.

        `subject` is who the answer must be about, after a refresh, which need not return an ID token.
        """
        claims: dict[str, Any] = {}
        if subject is None or answer.id_token is not None:
            claims = dict(await self.tokens.verify(answer.id_token, nonce, answer.access_token))
        expected = claims.get("sub", subject)
        if not claims or needs_userinfo(self.settings, claims):
            userinfo = await self.client.read_userinfo(answer.access_token)
            if userinfo and userinfo.get("sub") != expected:
                raise IdTokenInvalid(self.settings.name, "it describes another person (userinfo)")
            claims = {**userinfo, **claims}
        person = read_person(self.settings, claims)
        if person is None or (subject is not None and person.subject != subject):
            raise IdTokenInvalid(self.settings.name, "it does not say who signed in")
        return VerifiedAnswer(person, answer.refresh_token, answer.id_token)


@dataclass(frozen=True, slots=True)
class Issuers:
    """The issuers of the settings, in their order."""

    all: Sequence[Issuer] = ()

    @classmethod
    def create(cls, settings: Sequence[IssuerSettings], public_url: str) -> "Issuers":
        return cls([Issuer(each, public_url) for each in settings])

    def get(self, issuer_id: str) -> Issuer:
        """Return an issuer by its name in addresses. Raises IssuerNotFound."""
        found = next((issuer for issuer in self.all if issuer.settings.id == issuer_id), None)
        if found is None:
            raise IssuerNotFound(issuer_id)
        return found

    def find(self, url: str) -> Issuer | None:
        """Return an issuer by its URL; None if the settings no longer have it."""
        return next((issuer for issuer in self.all if issuer.settings.issuer == url), None)


def _add_query(url: str, parameters: dict[str, str]) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode(parameters)}"
