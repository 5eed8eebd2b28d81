"""Loading of the encryption keys, and the cipher that reloads its key file."""

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


class TestKeyFileCipher:
    def test_reloads_a_changed_file(self, path: Path) -> None:
        write_keys(path, [OLD])
        seen_keys: list[str] = []
        cipher = KeyFileCipher(path, seen_keys.append)
        before = cipher.encrypt("sk-1234")

        write_keys(path, [NEW, OLD])
        after = cipher.encrypt("sk-1234")

        assert SecretCipher(OLD).decrypt(before) == cipher.decrypt(before) == "sk-1234"
        assert SecretCipher(NEW).decrypt(after) == "sk-1234"
        assert set(seen_keys) == {OLD, NEW}
        write_keys(path, [NEW])
        with pytest.raises(SecretUnreadable):
            cipher.decrypt(before)

    @pytest.mark.parametrize(
        "damage", [lambda path: path.unlink(), lambda path: path.write_text("no key"), Path.touch]
    )
    def test_keeps_its_keys_when_the_file_is_damaged(self, path: Path, damage: object) -> None:
        write_keys(path, [OLD])
        cipher = KeyFileCipher(path, lambda _: None)
        encrypted = cipher.encrypt("sk-1234")

        damage(path)  # type: ignore[operator]

        assert cipher.decrypt(encrypted) == "sk-1234"
        assert SecretCipher(OLD).decrypt(cipher.encrypt("x")) == "x"


class TestConfiguredKeys:
    def test_settings_take_precedence_over_the_file(self, tmp_path: Path) -> None:
        settings = Settings(_env_file=None, data_dir=tmp_path, secret_key=f"{NEW},{OLD}")  # type: ignore[call-arg,arg-type]
        seen_keys: list[str] = []

        encrypted = create_cipher(settings, seen_keys.append).encrypt("x")

        assert SecretCipher(NEW).decrypt(encrypted) == "x"
        assert load_secret_keys(settings) == seen_keys == [NEW, OLD]
        assert list(tmp_path.iterdir()) == []

    def test_loading_creates_no_key(self, tmp_path: Path) -> None:
        settings = Settings(_env_file=None, data_dir=tmp_path)  # type: ignore[call-arg]

        assert load_secret_keys(settings) == []
        assert list(tmp_path.iterdir()) == []


class TestKeyFingerprint:
    def test_identifies_a_key_without_revealing_it(self) -> None:
        assert key_fingerprint(OLD) == key_fingerprint(OLD) != key_fingerprint(NEW)
        assert len(key_fingerprint(OLD)) == 16
        assert not any(OLD[i : i + 6] in key_fingerprint(OLD) for i in range(len(OLD) - 5))


class TestKeyFile:
    def test_is_created_once_with_mode_0600(self, tmp_path: Path) -> None:
        path = tmp_path / "deep" / "secret-key"

        first, second = read_or_create_keys(path), read_or_create_keys(path)

        assert len(first) == 1
        assert first == second
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert SecretCipher(*first).decrypt(SecretCipher(*first).encrypt("x")) == "x"

    @pytest.mark.parametrize(
        "text", [f"{NEW}\n{OLD}\n", f"{NEW},{OLD}", f" {NEW} , {OLD}\r\n"], ids=["lines", "commas", "both"]
    )
    def test_may_contain_several_keys(self, path: Path, text: str) -> None:
        path.write_text(text)

        assert read_keys(path) == [NEW, OLD]

    def test_is_replaced_atomically_with_mode_0600(self, path: Path) -> None:
        path.write_text(OLD)
        path.with_name("secret-key.new").write_text("left by a killed process")

        write_keys(path, [NEW, OLD])

        assert read_keys(path) == [NEW, OLD]
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert [entry.name for entry in path.parent.iterdir()] == ["secret-key"]

    def test_concurrent_processes_agree_on_one_key(self, tmp_path: Path) -> None:
        path = tmp_path / "secret-key"
        program = (
            "import sys, pathlib; from crewai_runner.core.secret_key import read_or_create_keys as keys; "
            "sys.stdin.readline(); print(*keys(pathlib.Path(sys.argv[1])))"
        )
        command = [sys.executable, "-c", program, str(path)]
        started = [
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            for _ in range(4)
        ]

        outputs = [process.communicate("go\n")[0].strip() for process in started]

        assert set(outputs) == {path.read_text().strip()}
        assert [entry.name for entry in tmp_path.iterdir()] == ["secret-key"]
