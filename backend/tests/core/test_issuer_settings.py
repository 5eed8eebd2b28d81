"""The setting OIDC_ISSUERS, as JSON and as TOML."""

from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from pydantic import ValidationError

from crewai_runner.core.setting_values import setting_errors
from crewai_runner.core.settings import Settings

TOML = """
[[issuers]]
id = "acme"
name = "Acme"
issuer = "https://id.example.org/realms/acme"
client_id = "crewai-runner"
client_secret = "a-secret-of-the-client"

[[issuers.roles]]
group = "crews"
role = "editor"
"""
ISSUER = {"id": "acme", "name": "Acme", "issuer": "https://id.example.org", "client_id": "c"}


def load(**given: Any) -> Settings:
    return Settings(_env_file=None, **{"public_url": "https://crews.example.org/"} | given)


def list_errors(**given: Any) -> list[str]:
    with pytest.raises(ValidationError) as raised:
        load(**given)
    return setting_errors(raised.value)


class TestFormats:
    def test_toml_from_a_file(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "issuers.toml").write_text(TOML)
        monkeypatch.setenv("OIDC_ISSUERS_FILE", str(tmp_path / "issuers.toml"))

        settings = load()

        [issuer] = settings.oidc_issuers
        assert settings.public_url == "https://crews.example.org"
        assert (issuer.roles[0].group, issuer.roles[0].workspace) == ("crews", "ws_default")
        assert "a-secret-of-the-client" not in repr(settings)

    def test_json_from_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        value = '[{"id": "a", "name": "A", "issuer": "https://a.example.org", "client_id": "c"}]'
        monkeypatch.setenv("OIDC_ISSUERS", value)

        assert load().oidc_issuers[0].id == "a"

    @pytest.mark.parametrize("text", ["[{", "x = ", "issuers = 5", '{"id": "a"}'])
    def test_others_are_refused_without_their_text(self, text: str) -> None:
        [error] = list_errors(oidc_issuers=text + " # a-secret-of-the-client")

        assert error.startswith("OIDC_ISSUERS: ")
        assert "a-secret" not in error


class TestChecks:
    @pytest.mark.parametrize(
        ("change", "place"),
        [
            ({"issuer": "http://id.example.org"}, "issuer"),
            ({"issuer": "https://user@id.example.org"}, "issuer"),
            ({"issuer": "id.example.org"}, "issuer"),
            ({"id": "Acme Corp"}, "id"),
            ({"scopes": ["profile"]}, "scopes"),
            ({"parameters": {"state": "x"}}, "parameters"),
            ({"default_role": "administrator"}, "default_role"),
            ({"colour": "red"}, "colour"),
        ],
    )
    def test_the_place_of_a_wrong_value_is_named(self, change: dict[str, Any], place: str) -> None:
        [error] = list_errors(oidc_issuers=[ISSUER | change])

        assert error.startswith(f"OIDC_ISSUERS (0.{place}): ")

    def test_linking_needs_verified_addresses(self) -> None:
        change = {"link_by_email": True, "email_verified_claim": ""}

        assert "link_by_email" in list_errors(oidc_issuers=[ISSUER | change])[0]

    def test_issuers_need_the_public_address(self) -> None:
        assert "PUBLIC_URL" in list_errors(oidc_issuers=[ISSUER], public_url="")[0]

    @pytest.mark.parametrize("same", ["id", "issuer"])
    def test_issuers_are_distinct(self, same: str) -> None:
        other = ISSUER | {"id": "other", "issuer": "https://other.example.org"} | {same: ISSUER[same]}

        assert f"the same {same}" in list_errors(oidc_issuers=[ISSUER, other])[0]

    @pytest.mark.parametrize(
        "url", ["crews.example.org", "https://crews.example.org/app", "http://crews.example.org", "ftp://x"]
    )
    def test_the_public_address_is_an_origin(self, url: str) -> None:
        assert list_errors(public_url=url)[0].startswith("PUBLIC_URL: ")


class TestClientKey:
    @pytest.mark.parametrize(
        "key", ["", "a-secret", "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----"]
    )
    def test_what_is_no_key_is_refused_without_its_text(self, key: str) -> None:
        [error] = list_errors(oidc_issuers=[ISSUER | {"client_key": key}])

        assert error.startswith("OIDC_ISSUERS (0.client_key): ")
        assert "c2Vj" not in error

    @pytest.mark.parametrize(
        "key",
        [rsa.generate_private_key(65537, 1024), ec.generate_private_key(ec.SECP256K1())],
        ids=["short", "curve"],
    )
    def test_weak_keys_are_refused(self, key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> None:
        assert "2048 bits" in list_errors(oidc_issuers=[ISSUER | {"client_key": to_pem(key)}])[0]

    def test_a_secret_besides_is_refused(self) -> None:
        given = {"client_key": to_pem(ec.generate_private_key(ec.SECP256R1())), "client_secret": "s"}

        assert "exclude each other" in list_errors(oidc_issuers=[ISSUER | given])[0]


def to_pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(encoding, form, serialization.NoEncryption()).decode()
