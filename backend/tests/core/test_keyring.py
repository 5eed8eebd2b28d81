"""Keys are sealed, given back whole, and masked from the moment they are known."""

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


def test_a_sealed_key_comes_back_and_does_not_show(keys: Keyring) -> None:
    sealed = keys.encrypt(SecretStr(KEY))
    unsealed = keys.decrypt(sealed)

    assert KEY not in sealed
    assert unsealed is not None
    assert unsealed.get_secret_value() == KEY
    assert keys.decrypt(None) is None


def test_a_key_is_masked_when_sealed_and_when_unsealed(keys: Keyring, mask: SecretMask) -> None:
    sealed = keys.encrypt(SecretStr(KEY))
    assert mask(KEY) == "••••••"

    mask.__init__()  # type: ignore[misc]
    assert mask(KEY) == KEY
    keys.decrypt(sealed)

    assert mask(KEY) == "••••••"


def test_the_long_parts_of_a_key_in_parts_are_masked_alone(keys: Keyring, mask: SecretMask) -> None:
    keys.mask_key(SecretStr("AKIDEXAMPLE:wJalrXUtnFEMI/K7MDENG:short"))

    assert mask("AKIDEXAMPLE wJalrXUtnFEMI/K7MDENG short") == "AKIDEXAMPLE •••••• short"
