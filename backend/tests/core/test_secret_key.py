"""Where the sealing keys come from, and a cipher that follows its file."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from crewai_runner.core.encryption import SecretCipher, SecretUnreadable
from crewai_runner.core.secret_key import (
    KeyFileCipher,
    create_cipher,
    key_fingerprint,
    load_secret_keys,
    read_keys,
    read_or_create_keys,
    write_keys,
)
from crewai_runner.core.settings import Settings

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "secret-key"


def test_a_key_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "secret-key"

    first, second = read_or_create_keys(path), read_or_create_keys(path)

    assert len(first) == 1
    assert first == second
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert SecretCipher(*first).decrypt(SecretCipher(*first).encrypt("x")) == "x"


@pytest.mark.parametrize(
    "text", [f"{NEW}\n{OLD}\n", f"{NEW},{OLD}", f" {NEW} , {OLD}\r\n"], ids=["lines", "commas", "both"]
)
def test_a_file_may_hold_several_keys(path: Path, text: str) -> None:
    path.write_text(text)

    assert read_keys(path) == [NEW, OLD]


def test_keys_are_replaced_whole_and_stay_their_owners(path: Path) -> None:
    path.write_text(OLD)
    path.with_name("secret-key.new").write_text("left by one that was killed")

    write_keys(path, [NEW, OLD])

    assert read_keys(path) == [NEW, OLD]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [found.name for found in path.parent.iterdir()] == ["secret-key"]


def test_a_sealer_follows_its_file(path: Path) -> None:
    write_keys(path, [OLD])
    noted: list[str] = []
    cipher = KeyFileCipher(path, noted.append)
    before = cipher.encrypt("sk-1234")

    write_keys(path, [NEW, OLD])
    after = cipher.encrypt("sk-1234")

    assert SecretCipher(OLD).decrypt(before) == cipher.decrypt(before) == "sk-1234"
    assert SecretCipher(NEW).decrypt(after) == "sk-1234"
    assert set(noted) == {OLD, NEW}
    write_keys(path, [NEW])
    with pytest.raises(SecretUnreadable):
        cipher.decrypt(before)


@pytest.mark.parametrize(
    "spoil", [lambda path: path.unlink(), lambda path: path.write_text("no key"), Path.touch]
)
def test_a_sealer_does_not_forget_when_its_file_is_spoiled(path: Path, spoil: object) -> None:
    write_keys(path, [OLD])
    cipher = KeyFileCipher(path, lambda _: None)
    sealed = cipher.encrypt("sk-1234")

    spoil(path)  # type: ignore[operator]

    assert cipher.decrypt(sealed) == "sk-1234"
    assert SecretCipher(OLD).decrypt(cipher.encrypt("x")) == "x"


def test_the_settings_come_before_the_file(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, data_dir=tmp_path, secret_key=f"{NEW},{OLD}")  # type: ignore[call-arg,arg-type]
    noted: list[str] = []

    sealed = create_cipher(settings, noted.append).encrypt("x")

    assert SecretCipher(NEW).decrypt(sealed) == "x"
    assert load_secret_keys(settings) == noted == [NEW, OLD]
    assert list(tmp_path.iterdir()) == []


def test_asking_for_the_keys_makes_none(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, data_dir=tmp_path)  # type: ignore[call-arg]

    assert load_secret_keys(settings) == []
    assert list(tmp_path.iterdir()) == []


def test_a_fingerprint_tells_keys_apart_and_shows_nothing_of_them() -> None:
    assert key_fingerprint(OLD) == key_fingerprint(OLD) != key_fingerprint(NEW)
    assert len(key_fingerprint(OLD)) == 16
    assert not any(OLD[i : i + 6] in key_fingerprint(OLD) for i in range(len(OLD) - 5))


def test_processes_that_start_at_once_agree_on_one_key(tmp_path: Path) -> None:
    path = tmp_path / "secret-key"
    program = (
        "import sys, pathlib; from crewai_runner.core.secret_key import read_or_create_keys as keys; "
        "sys.stdin.readline(); print(*keys(pathlib.Path(sys.argv[1])))"
    )
    command = [sys.executable, "-c", program, str(path)]
    started = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]

    told = [process.communicate("go\n")[0].strip() for process in started]

    assert set(told) == {path.read_text().strip()}
    assert [one.name for one in tmp_path.iterdir()] == ["secret-key"]
