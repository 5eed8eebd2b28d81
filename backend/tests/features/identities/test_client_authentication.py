"""Signing in as a client that has a private key in place of a secret, at a real issuer."""

import json
from collections.abc import AsyncIterator
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from crewai_runner.core.client_key import find_signing_algorithm
from crewai_runner.core.issuer_settings import IssuerSettings
from crewai_runner.features.identities.attempts import SignInAttempt
from crewai_runner.features.identities.client_authentication import prove_client
from crewai_runner.features.identities.errors import AttemptInvalid, IssuerUnavailable
from crewai_runner.features.identities.issuers import Issuer
from tests.support.issuers import PUBLIC_URL, TestIssuers

CLIENT = "client-with-a-key"
RSA_KEY = rsa.generate_private_key(65537, 2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
ED_KEY = ed25519.Ed25519PrivateKey.generate()


def to_pem(key: PrivateKeyTypes) -> str:
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(encoding, form, serialization.NoEncryption()).decode()


def to_jwk(key: Any) -> dict[str, Any]:
    kinds = {"RS256": RSAAlgorithm, "ES256": ECAlgorithm, "EdDSA": OKPAlgorithm}
    algorithm = find_signing_algorithm(to_pem(key))
    public: dict[str, Any] = json.loads(kinds[algorithm].to_jwk(key.public_key()))
    return public | {"kid": "key-1", "use": "sig"}


def make_issuer(issuers: TestIssuers, key: PrivateKeyTypes, **more: Any) -> Issuer:
    given = {"id": "one", "name": "First", "issuer": issuers.one.url, "client_id": CLIENT}
    settings = IssuerSettings.model_validate(
        given | {"client_key": to_pem(key), "client_key_id": "key-1", "default_role": "viewer"} | more
    )
    return Issuer(settings, PUBLIC_URL)


@pytest.fixture(params=[RSA_KEY, EC_KEY, ED_KEY], ids=["RSA", "EC", "Ed25519"])
async def key(request: pytest.FixtureRequest, issuers: TestIssuers) -> AsyncIterator[Any]:
    """A key whose public half the issuer has."""
    issuers.one.add_client(
        CLIENT,
        token_endpoint_auth_method="private_key_jwt",
        token_endpoint_auth_signing_alg=find_signing_algorithm(to_pem(request.param)),
        jwks={"keys": [to_jwk(request.param)]},
    )
    issuers.one.set_account("ann", name="Ann", email="ann@example.org", email_verified=True)
    yield request.param
    issuers.one.delete_account("ann")


async def sign_in(issuers: TestIssuers, issuer: Issuer) -> str | None:
    attempt = SignInAttempt.begin("one", "/")
    answer = await issuers.one.answer(await issuer.make_url(attempt), "ann")
    found = await issuer.finish(attempt, answer["code"], answer.get("iss"))
    return found.refresh_token


class TestPrivateKey:
    async def test_signs_in_and_refreshes(self, issuers: TestIssuers, key: PrivateKeyTypes) -> None:
        issuer = make_issuer(issuers, key)

        refresh_token = await sign_in(issuers, issuer)

        assert refresh_token is not None
        assert (await issuer.refresh(refresh_token, "ann")).person.email == "ann@example.org"

    async def test_another_key_is_refused(self, issuers: TestIssuers, key: PrivateKeyTypes) -> None:
        other = rsa.generate_private_key(65537, 2048)
        with pytest.raises((IssuerUnavailable, AttemptInvalid)) as raised:
            await sign_in(issuers, make_issuer(issuers, other))

        assert "invalid_client" in getattr(raised.value, "reason", "")

    async def test_the_token_endpoint_may_be_the_audience(
        self, issuers: TestIssuers, key: PrivateKeyTypes
    ) -> None:
        issuer = make_issuer(issuers, key, client_key_audience="token_endpoint")

        assert await sign_in(issuers, issuer) is not None


class TestAssertion:
    def prove(self, **more: Any) -> dict[str, Any]:
        given = {"id": "x", "name": "X", "issuer": "https://id.example.org", "client_id": CLIENT}
        settings = IssuerSettings.model_validate(given | {"client_key": to_pem(EC_KEY)} | more)
        proof = prove_client(settings, "https://tokens.example.org/t", ["client_secret_basic"])
        assert proof.headers == {}
        options = {"verify_aud": False}
        claims: dict[str, Any] = jwt.decode(
            proof.form["client_assertion"], EC_KEY.public_key(), ["ES256"], options=options
        )
        return claims

    def test_is_for_the_issuer_for_a_minute_and_used_once(self) -> None:
        """A discovery document could name the token endpoint of another issuer."""
        first, second = self.prove(), self.prove()

        assert (first["iss"], first["sub"], first["aud"]) == (CLIENT, CLIENT, "https://id.example.org")
        assert first["exp"] - first["iat"] == 60
        assert first["jti"] != second["jti"]

    def test_is_for_the_token_endpoint_if_the_settings_say_so(self) -> None:
        claims = self.prove(client_key_audience="token_endpoint")

        assert claims["aud"] == "https://tokens.example.org/t"
