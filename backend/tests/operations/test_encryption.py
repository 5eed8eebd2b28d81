"""Encrypted backups: round trip, wrong passphrases, damage, and what the file reveals."""

import io
import stat
from pathlib import Path

import pytest

from crewai_runner.core.settings import Settings
from crewai_runner.operations import encrypted_file
from crewai_runner.operations.backup import back_up
from crewai_runner.operations.command import read_passphrase
from crewai_runner.operations.encrypted_file import MAGIC, DecryptingReader, EncryptingWriter
from crewai_runner.operations.errors import OperationError
from crewai_runner.operations.restore import restore
from tests.operations.conftest import ON_SQLITE
from tests.operations.rows import dump

PASSPHRASE = "correct horse battery staple"
HEADER = len(MAGIC) + 16


def encrypt(text: bytes, piece: int = 7) -> bytes:
    target = io.BytesIO()
    with EncryptingWriter(target, PASSPHRASE) as writer:
        for start in range(0, len(text), piece):
            writer.write(text[start : start + piece])
    return target.getvalue()


def decrypt(data: bytes, passphrase: str = PASSPHRASE) -> bytes:
    return io.BufferedReader(DecryptingReader(io.BytesIO(data), passphrase)).read()


@pytest.fixture
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encrypted_file, "CHUNK_BYTES", 16)


@ON_SQLITE
class TestEncryptedBackup:
    def test_restores_and_reveals_nothing(
        self, populated: Settings, target: Settings, tmp_path: Path
    ) -> None:
        before, file = dump(populated.database), tmp_path / "b.backup"

        back_up(populated, file, with_keys=True, passphrase=PASSPHRASE)
        restore(target, file, ask_passphrase=lambda: PASSPHRASE)

        assert dump(target.database) == before
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert file.read_bytes()[len(MAGIC) :].find(b"manifest") == -1

    @pytest.mark.parametrize("given", [None, "another passphrase"])
    def test_without_the_passphrase_nothing_changes(
        self, populated: Settings, target: Settings, tmp_path: Path, given: str | None
    ) -> None:
        back_up(populated, tmp_path / "b.backup", passphrase=PASSPHRASE)
        options = {} if given is None else {"ask_passphrase": lambda: given}

        with pytest.raises(OperationError, match="passphrase"):
            restore(target, tmp_path / "b.backup", **options)  # type: ignore[arg-type]

        assert not (target.data_dir / "crewai-runner.db").exists()

    def test_short_passphrase_leaves_no_file(self, populated: Settings, tmp_path: Path) -> None:
        with pytest.raises(OperationError, match="12 characters"):
            back_up(populated, tmp_path / "b.backup", passphrase="short")

        assert not (tmp_path / "b.backup").exists()


@pytest.mark.usefixtures("_small_chunks")
class TestStream:
    @pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 32, 33, 100])
    def test_round_trip(self, size: int) -> None:
        text = bytes(range(size))

        assert decrypt(encrypt(text)) == text

    @pytest.mark.parametrize("length", [HEADER, HEADER + 16 + 16, HEADER + 64, -1])
    def test_truncation_is_detected(self, length: int) -> None:
        cut = encrypt(b"x" * 100)[:length]

        if length == HEADER:
            assert decrypt(cut) == b""  # the archive inside is then incomplete
            return
        with pytest.raises(OperationError, match="damaged or truncated"):
            decrypt(cut)

    def test_change_and_reordering_are_detected(self) -> None:
        data = encrypt(b"x" * 100)
        chunk = 16 + 16
        flipped = bytearray(data)
        flipped[HEADER + 3] ^= 1
        swapped = data[:HEADER] + data[HEADER + chunk : HEADER + 2 * chunk] + data[HEADER : HEADER + chunk]

        for damaged in (bytes(flipped), swapped + data[HEADER + 2 * chunk :]):
            with pytest.raises(OperationError, match="damaged"):
                decrypt(damaged)


class TestReadPassphrase:
    def test_comes_from_the_file(self, tmp_path: Path) -> None:
        (tmp_path / "passphrase").write_text(PASSPHRASE + "\n")

        assert read_passphrase(tmp_path / "passphrase") == PASSPHRASE

    def test_is_not_asked_for_without_a_terminal(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO(PASSPHRASE))

        with pytest.raises(OperationError, match="--passphrase-file"):
            read_passphrase(None)
