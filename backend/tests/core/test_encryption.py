import pytest
from cryptography.fernet import Fernet

from crewai_runner.core.encryption import SecretCipher, SecretUnreadable

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


@pytest.mark.parametrize("secret", ["sk-1234", "", "käse \n\t€", "x" * 10_000])
def test_a_secret_comes_back_and_is_not_seen_meanwhile(secret: str) -> None:
    sealed = SecretCipher(NEW).encrypt(secret)

    assert SecretCipher(NEW).decrypt(sealed) == secret
    assert not secret or secret not in sealed


def test_two_seals_of_one_secret_differ() -> None:
    assert SecretCipher(NEW).encrypt("same") != SecretCipher(NEW).encrypt("same")


def test_keys_rotate() -> None:
    sealed = SecretCipher(OLD).encrypt("sk-1234")
    both = SecretCipher(NEW, OLD)

    assert both.decrypt(sealed) == "sk-1234"
    assert SecretCipher(NEW).decrypt(both.reencrypt(sealed)) == "sk-1234"
    assert SecretCipher(NEW).decrypt(both.encrypt("sk-5678")) == "sk-5678"


@pytest.mark.parametrize(
    "sealed", [SecretCipher(OLD).encrypt("sk-1234"), "nonsense", ""], ids=["old", "nonsense", "none"]
)
def test_what_another_key_sealed_cannot_be_read(sealed: str) -> None:
    with pytest.raises(SecretUnreadable, match="SECRET_KEY") as broken:
        SecretCipher(NEW).decrypt(sealed)

    assert broken.value.__cause__ is None
    assert "sk-1234" not in broken.value.detail


def test_a_changed_seal_is_refused() -> None:
    sealed = SecretCipher(NEW).encrypt("sk-1234")
    changed = sealed[:-4] + ("AAAA" if sealed[-4:] != "AAAA" else "BBBB")

    with pytest.raises(SecretUnreadable):
        SecretCipher(NEW).decrypt(changed)
