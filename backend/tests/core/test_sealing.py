import pytest
from cryptography.fernet import Fernet

from crewai_runner.core.sealing import SealBroken, Sealer

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


@pytest.mark.parametrize("secret", ["sk-1234", "", "käse \n\t€", "x" * 10_000])
def test_a_secret_comes_back_and_is_not_seen_meanwhile(secret: str) -> None:
    sealed = Sealer(NEW).seal(secret)

    assert Sealer(NEW).unseal(sealed) == secret
    assert not secret or secret not in sealed


def test_two_seals_of_one_secret_differ() -> None:
    assert Sealer(NEW).seal("same") != Sealer(NEW).seal("same")


def test_keys_rotate() -> None:
    sealed = Sealer(OLD).seal("sk-1234")
    both = Sealer(NEW, OLD)

    assert both.unseal(sealed) == "sk-1234"
    assert Sealer(NEW).unseal(both.reseal(sealed)) == "sk-1234"
    assert Sealer(NEW).unseal(both.seal("sk-5678")) == "sk-5678"


@pytest.mark.parametrize(
    "sealed", [Sealer(OLD).seal("sk-1234"), "nonsense", ""], ids=["old", "nonsense", "none"]
)
def test_what_another_key_sealed_cannot_be_read(sealed: str) -> None:
    with pytest.raises(SealBroken, match="SECRET_KEY") as broken:
        Sealer(NEW).unseal(sealed)

    assert broken.value.__cause__ is None
    assert "sk-1234" not in broken.value.detail


def test_a_changed_seal_is_refused() -> None:
    sealed = Sealer(NEW).seal("sk-1234")
    changed = sealed[:-4] + ("AAAA" if sealed[-4:] != "AAAA" else "BBBB")

    with pytest.raises(SealBroken):
        Sealer(NEW).unseal(changed)
