"""What one issuer says: its addresses, keys, tokens, and facts about people."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit

import httpx
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from crewai_runner.core.answer_limits import MEGABYTE, AnswerLimits
from crewai_runner.core.egress import EgressPolicy, UrlRefused, guarded_client
from crewai_runner.core.host_patterns import PrivateHosts
from crewai_runner.core.issuer_settings import LOOPBACK_NAMES, IssuerSettings
from crewai_runner.features.identities.client_authentication import prove_client
from crewai_runner.features.identities.errors import AttemptInvalid, IssuerUnavailable, RefreshRefused

TIMEOUT_SECONDS = 10.0
METADATA_SECONDS = 3600.0
KEYS_SECONDS = 900.0
"""How long a withdrawn key is still accepted."""
UNKNOWN_KEY_SECONDS = 30.0
"""The least time between two requests for keys because a token names an unknown one."""
FAILURE_SECONDS = 5.0
"""How long an issuer that did not answer is not asked again for its addresses and keys."""

T = TypeVar("T")
Jwk = Mapping[str, Any]


def _check_endpoint(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK_NAMES):
        raise ValueError("must be an https URL")
    return value


Endpoint = Annotated[str, Field(max_length=2000), AfterValidator(_check_endpoint)]


class IssuerMetadata(BaseModel):
    """The discovery document, as far as it matters here."""

    model_config = ConfigDict(frozen=True)

    issuer: str
    authorization_endpoint: Endpoint
    token_endpoint: Endpoint
    jwks_uri: Endpoint
    userinfo_endpoint: Endpoint | None = None
    end_session_endpoint: Endpoint | None = None
    token_endpoint_auth_methods_supported: list[str] = ["client_secret_basic"]
    code_challenge_methods_supported: list[str] | None = None
    scopes_supported: list[str] | None = None
    authorization_response_iss_parameter_supported: bool = False


class TokenAnswer(BaseModel):
    """What the token endpoint returns."""

    model_config = ConfigDict(frozen=True)

    access_token: str = Field(max_length=50_000)
    id_token: str | None = Field(None, max_length=100_000)
    refresh_token: str | None = Field(None, max_length=50_000)


class IssuerClient:
    """Sends requests to an issuer. All methods raise IssuerUnavailable.

    The host of the issuer may be in a private network, since the administrator has named it; every other
    address that its discovery document names must be public.
    """

    def __init__(self, settings: IssuerSettings, clock: Callable[[], float] = time.monotonic) -> None:
        self.settings, self._clock = settings, clock
        self._policy = EgressPolicy(
            allow_private=False,
            private_hosts=PrivateHosts(settings.hosts),
            limits=AnswerLimits(MEGABYTE, MEGABYTE),
        )
        self._lock = asyncio.Lock()
        self._metadata: tuple[float, IssuerMetadata] | None = None
        self._keys: tuple[float, Sequence[Jwk]] | None = None
        self._failure: tuple[float, IssuerUnavailable] | None = None

    async def read_metadata(self) -> IssuerMetadata:
        """Return the discovery document, at most an hour old."""
        async with self._lock:
            if self._metadata is None or self._clock() - self._metadata[0] > METADATA_SECONDS:
                self._metadata = self._clock(), await self._remember_failure(self._discover)
            return self._metadata[1]

    async def read_keys(self, key_id: str | None) -> Sequence[Jwk]:
        """Return the issuer's keys, as JSON objects.

        They are read again if they are old, or lack the key of a token.
        """
        metadata = await self.read_metadata()
        async with self._lock:
            if self._keys is None or self._are_outdated(*self._keys, key_id):
                load = partial(self._load_keys, metadata.jwks_uri)
                self._keys = self._clock(), await self._remember_failure(load)
            return self._keys[1]

    async def exchange_code(self, code: str, verifier: str, redirect_uri: str) -> TokenAnswer:
        """Exchange a code. Raises AttemptInvalid if it was used, or does not belong to this attempt."""
        grant = {
            "grant_type": "authorization_code",
            "code": code,
            "code_verifier": verifier,
            "redirect_uri": redirect_uri,
        }
        answer = await self._request_tokens(grant)
        if answer is None:
            raise AttemptInvalid
        return answer

    async def refresh(self, refresh_token: str) -> TokenAnswer:
        """Exchange a refresh token. Raises RefreshRefused if the issuer has ended its session."""
        answer = await self._request_tokens({"grant_type": "refresh_token", "refresh_token": refresh_token})
        if answer is None:
            raise RefreshRefused
        return answer

    async def read_userinfo(self, access_token: str) -> Mapping[str, Any]:
        """Return what the issuer says about the person; nothing if it has no such endpoint."""
        endpoint = (await self.read_metadata()).userinfo_endpoint
        if endpoint is None:
            return {}
        headers = {"Authorization": f"Bearer {access_token}"}
        return await self._read_json("GET", endpoint, headers=headers)

    async def _discover(self) -> IssuerMetadata:
        url = self.settings.issuer.removesuffix("/") + "/.well-known/openid-configuration"
        document = await self._read_json("GET", url)
        try:
            metadata = IssuerMetadata.model_validate(document)
        except ValidationError as error:
            place = ".".join(str(part) for part in error.errors()[0]["loc"])
            raise self._fail(f"its discovery document is not valid ({place})") from None
        if metadata.issuer != self.settings.issuer:
            raise self._fail(f"its discovery document is that of another issuer, {metadata.issuer[:300]}")
        return metadata

    def _are_outdated(self, read_at: float, keys: Sequence[Jwk], key_id: str | None) -> bool:
        age = self._clock() - read_at
        is_unknown = key_id is not None and all(key.get("kid") != key_id for key in keys)
        return age > KEYS_SECONDS or (is_unknown and age > UNKNOWN_KEY_SECONDS)

    async def _load_keys(self, url: str) -> Sequence[Jwk]:
        keys = (await self._read_json("GET", url)).get("keys")
        if not isinstance(keys, list):
            raise self._fail("it publishes no keys")
        return [key for key in keys if isinstance(key, dict) and key.get("use", "sig") == "sig"]

    async def _remember_failure(self, load: Callable[[], Awaitable[T]]) -> T:
        """Call `load`, unless it failed a moment ago: those who wait for it must not wait one by one."""
        if self._failure is not None and self._clock() - self._failure[0] < FAILURE_SECONDS:
            raise self._fail(self._failure[1].reason)
        try:
            return await load()
        except IssuerUnavailable as error:
            self._failure = self._clock(), error
            raise

    async def _request_tokens(self, grant: dict[str, str]) -> TokenAnswer | None:
        """Return tokens; None if the issuer does not accept the grant."""
        metadata = await self.read_metadata()
        endpoint = metadata.token_endpoint
        proof = prove_client(self.settings, endpoint, metadata.token_endpoint_auth_methods_supported)
        response = await self._send("POST", endpoint, headers=proof.headers, data=grant | proof.form)
        if response.status_code == HTTPStatus.OK:
            try:
                return TokenAnswer.model_validate(self._parse(response))
            except ValidationError:
                raise self._fail("its token endpoint sent no tokens") from None
        code = str(self._parse(response).get("error", ""))
        if code == "invalid_grant":
            return None
        raise self._fail(f"its token endpoint answers {response.status_code} {code[:60]!r}")

    async def _read_json(self, method: str, url: str, **options: Any) -> Mapping[str, Any]:
        response = await self._send(method, url, **options)
        if response.status_code != HTTPStatus.OK:
            raise self._fail(f"{urlsplit(url).path} answers {response.status_code}")
        return self._parse(response)

    async def _send(self, method: str, url: str, **options: Any) -> httpx.Response:
        try:
            async with guarded_client(self._policy, timeout=TIMEOUT_SECONDS) as client:
                return await client.request(method, url, **options)
        except httpx.TimeoutException:
            raise self._fail(f"{urlsplit(url).hostname} does not answer in time") from None
        except httpx.HTTPError as error:
            raise self._fail(
                f"{urlsplit(url).hostname} cannot be reached ({type(error).__name__})"
            ) from error
        except UrlRefused as error:
            raise self._fail(error.detail.removesuffix(".")) from error

    def _parse(self, response: httpx.Response) -> Mapping[str, Any]:
        try:
            document = response.json()
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict):
            raise self._fail(f"{response.request.url.path} did not answer with JSON")
        return document

    def _fail(self, reason: str) -> IssuerUnavailable:
        return IssuerUnavailable(self.settings.name, reason)
