"""Credentials are encrypted, decrypted and masked."""

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from crewai_runner.core.encryption import SecretCipher
from crewai_runner.core.keyring import Keyring
from crewai_runner.core.logging import SecretMask

KEY = "sk-canary-7c1f0b9e2d8a4c63"


@pytest.fixture
def mask() -> SecretMask:
    return SecretMask()


@pytest.fixture
def keys(mask: SecretMask) -> Keyring:
    return Keyring(SecretCipher(Fernet.generate_key().decode()), mask)


class TestKeyring:
    def test_decrypts_what_it_encrypted(self, keys: Keyring) -> None:
        encrypted = keys.encrypt(SecretStr(KEY))
        decrypted = keys.decrypt(encrypted)

        assert KEY not in encrypted
        assert decrypted is not None
        assert decrypted.get_secret_value() == KEY
        assert keys.decrypt(None) is None

    def test_masks_keys_on_encryption_and_decryption(self, keys: Keyring, mask: SecretMask) -> None:
        encrypted = keys.encrypt(SecretStr(KEY))
        assert mask(KEY) == "••••••"

        mask.__init__()  # type: ignore[misc]
        assert mask(KEY) == KEY
        keys.decrypt(encrypted)

        assert mask(KEY) == "••••••"

    def test_masks_long_parts_of_a_composite_key(self, keys: Keyring, mask: SecretMask) -> None:
        keys.mask_key(SecretStr("AKIDEXAMPLE:wJalrXUtnFEMI/K7MDENG:short"))

        assert mask("AKIDEXAMPLE wJalrXUtnFEMI/K7MDENG short") == "AKIDEXAMPLE •••••• short"
