"""Credentials are encrypted, decrypted and masked."""

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from crewai_runner.core.encryption import SecretCipher
from crewai_runner.core.keyring import Keyring, secret_parts
from crewai_runner.core.secret_mask import SecretMask, TextMask

KEY = "sk-canary-7c1f0b9e2d8a4c63"


@pytest.fixture
def mask() -> SecretMask:
    return SecretMask()


@pytest.fixture
def keys(mask: SecretMask) -> Keyring:
    return Keyring(SecretCipher(Fernet.generate_key().decode()), mask)


class TestKeyring:
    def test_decrypts_what_it_encrypted(self, keys: Keyring) -> None:
        encrypted = keys.encrypt(SecretStr(KEY), "ws", "prov_1")
        decrypted = keys.decrypt(encrypted, "ws", "prov_1")

        assert KEY not in encrypted
        assert decrypted is not None
        assert decrypted.get_secret_value() == KEY
        assert keys.decrypt(None, "ws", "prov_1") is None

    def test_masks_keys_on_encryption_and_decryption(self, keys: Keyring, mask: SecretMask) -> None:
        encrypted = keys.encrypt(SecretStr(KEY), "ws", "prov_1")
        assert mask(KEY) == "••••••"

        keys.forget("ws", "prov_1")
        assert mask(KEY) == KEY
        keys.decrypt(encrypted, "ws", "prov_1")

        assert mask.scoped("ws")(KEY) == "••••••"

    def test_masks_a_key_until_its_last_provider_has_another(self, keys: Keyring, mask: SecretMask) -> None:
        keys.encrypt(SecretStr(KEY), "ws", "prov_1")
        keys.encrypt(SecretStr(KEY), "ws", "prov_2")

        keys.encrypt(SecretStr("sk-another-5f1d"), "ws", "prov_1")
        assert mask(KEY) == "••••••"
        keys.forget_all_but({"prov_1"})

        assert mask(f"{KEY} sk-another-5f1d") == f"{KEY} ••••••"

    def test_secrets_of_one_workspace_do_not_mask_another(self, keys: Keyring, mask: SecretMask) -> None:
        keys.encrypt(SecretStr(KEY), "ws", "prov_1")

        assert mask.scoped("other")(KEY) == KEY

    def test_long_parts_of_a_composite_key_are_secrets(self) -> None:
        mask = TextMask(secret_parts(SecretStr("AKIDEXAMPLE:wJalrXUtnFEMI/K7MDENG:short"), None))

        assert mask("AKIDEXAMPLE wJalrXUtnFEMI/K7MDENG short") == "AKIDEXAMPLE •••••• short"
