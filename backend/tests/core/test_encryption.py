"""Encryption of stored secrets and key rotation."""

import pytest
from cryptography.fernet import Fernet

from crewai_runner.core.encryption import SecretCipher, SecretUnreadable

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


class TestSecretCipher:
    @pytest.mark.parametrize("secret", ["sk-1234", "", "käse \n\t€", "x" * 10_000])
    def test_decrypts_what_it_encrypted(self, secret: str) -> None:
        encrypted = SecretCipher(NEW).encrypt(secret)

        assert SecretCipher(NEW).decrypt(encrypted) == secret
        assert not secret or secret not in encrypted

    def test_encrypting_twice_gives_different_results(self) -> None:
        assert SecretCipher(NEW).encrypt("same") != SecretCipher(NEW).encrypt("same")

    def test_supports_key_rotation(self) -> None:
        encrypted = SecretCipher(OLD).encrypt("sk-1234")
        both = SecretCipher(NEW, OLD)

        assert both.decrypt(encrypted) == "sk-1234"
        assert SecretCipher(NEW).decrypt(both.reencrypt(encrypted)) == "sk-1234"
        assert SecretCipher(NEW).decrypt(both.encrypt("sk-5678")) == "sk-5678"

    @pytest.mark.parametrize(
        "encrypted", [SecretCipher(OLD).encrypt("sk-1234"), "nonsense", ""], ids=["old", "nonsense", "none"]
    )
    def test_unknown_key_is_reported_without_the_secret(self, encrypted: str) -> None:
        with pytest.raises(SecretUnreadable, match="SECRET_KEY") as broken:
            SecretCipher(NEW).decrypt(encrypted)

        assert broken.value.__cause__ is None
        assert "sk-1234" not in broken.value.detail

    def test_rejects_tampered_ciphertext(self) -> None:
        encrypted = SecretCipher(NEW).encrypt("sk-1234")
        changed = encrypted[:-4] + ("AAAA" if encrypted[-4:] != "AAAA" else "BBBB")

        with pytest.raises(SecretUnreadable):
            SecretCipher(NEW).decrypt(changed)
