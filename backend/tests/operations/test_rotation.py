"""Secret key rotation: idempotent, concurrent with writers, killed at any point."""

import ast
import asyncio
import fcntl
import os
import signal
import subprocess
import sys
from typing import Any

import pytest
from cryptography.fernet import Fernet

from crewai_runner.core.encryption import SecretCipher
from crewai_runner.core.secret_key import KeyFileCipher, read_keys, write_keys
from crewai_runner.core.settings import Settings
from crewai_runner.operations import reencryption, rotation
from crewai_runner.operations.errors import OperationError
from crewai_runner.operations.repository import EncryptedValueRepository, encrypted_columns
from crewai_runner.operations.rotation import rotate
from tests.operations.conftest import ON_SQLITE, make_settings
from tests.operations.killed_rotation import POINTS
from tests.operations.rows import ROWS, dump, run_sql
from tests.support.server_process import BACKEND

NEW = Fernet.generate_key().decode()
SECRETS = ROWS * len(list(encrypted_columns()))


def ciphertexts(url: str) -> list[str]:
    return [
        run_sql(
            url,
            f"SELECT {column.name} FROM {table.name} WHERE {next(iter(table.primary_key)).name} = '{row}'",
        )
        for table, column in encrypted_columns()
        for row in range(ROWS)
    ]


def decrypt_all(cipher: SecretCipher, url: str) -> list[str]:
    return [cipher.decrypt(value) for value in ciphertexts(url)]


EXPECTED = [f"sk-canary-of-row-{row}" for _ in encrypted_columns() for row in range(ROWS)]


@pytest.fixture
def old(populated: Settings) -> str:
    [key] = read_keys(populated.data_dir / "secret-key")
    return key


@pytest.fixture
def settings_with_both_keys(populated: Settings, old: str) -> Settings:
    """The same installation with both keys in the settings, the new one first."""
    return make_settings(populated.data_dir, populated.database, secret_key=[NEW, old])


@pytest.mark.each_database
async def test_keys_from_settings(settings_with_both_keys: Settings, old: str) -> None:
    before = dump(settings_with_both_keys.database)

    first = await rotate(settings_with_both_keys)
    second = await rotate(settings_with_both_keys)

    assert (first.secrets, first.reencrypted, first.unreadable) == (SECRETS, SECRETS, [])
    assert (second.secrets, second.reencrypted) == (SECRETS, 0)
    assert decrypt_all(SecretCipher(NEW), settings_with_both_keys.database) == EXPECTED
    assert read_keys(settings_with_both_keys.data_dir / "secret-key") == [old]
    after = dump(settings_with_both_keys.database)
    touched = {table.name for table, _ in encrypted_columns()}
    assert {name for name in before if before[name] != after[name]} == touched


async def test_key_file_gets_a_new_key(populated: Settings, old: str) -> None:
    done = await rotate(populated, settle_seconds=0.01)

    [new] = read_keys(populated.data_dir / "secret-key")
    assert new != old
    assert (done.key_is_new, done.reencrypted, done.dropped, done.kept) == (True, SECRETS, 1, 0)
    assert decrypt_all(SecretCipher(new), populated.database) == EXPECTED
    again = await rotate(populated, settle_seconds=0.01)
    assert again.reencrypted == SECRETS
    assert read_keys(populated.data_dir / "secret-key") not in ([new], [old])


async def test_more_secrets_than_one_batch(populated: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reencryption, "BATCH_SIZE", 1)

    assert (await rotate(populated, settle_seconds=0.01)).reencrypted == SECRETS


async def test_undecryptable_secrets_are_reported(populated: Settings, old: str) -> None:
    lost = SecretCipher(Fernet.generate_key().decode()).encrypt("sk-lost")
    run_sql(
        populated.database,
        "UPDATE providers SET sealed_api_key = :lost, name = 'Lost one' WHERE id = '1'",
        lost=lost,
    )

    done = await rotate(populated, settle_seconds=0.01)

    assert done.unreadable == ["providers: Lost one"]
    assert (done.is_complete, done.reencrypted, done.dropped, done.kept) == (False, SECRETS - 1, 0, 1)
    new, kept = read_keys(populated.data_dir / "secret-key")
    assert kept == old
    assert run_sql(populated.database, "SELECT sealed_api_key FROM providers WHERE id = '1'") == lost
    run_sql(populated.database, "UPDATE providers SET sealed_api_key = NULL WHERE id = '1'")
    again = await rotate(populated, settle_seconds=0.01)
    assert (again.is_complete, again.key_is_new, again.reencrypted) == (True, False, 0)
    assert read_keys(populated.data_dir / "secret-key") == [new]


@pytest.mark.parametrize("point", POINTS)
def test_kill_at_any_point_keeps_secrets_readable(populated: Settings, old: str, point: str) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.operations.killed_rotation",
            point,
            str(populated.data_dir),
            populated.database,
        ],
        cwd=BACKEND,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr

    path = populated.data_dir / "secret-key"
    between = read_keys(path)
    assert decrypt_all(KeyFileCipher(path, lambda _: None), populated.database) == EXPECTED
    asyncio.run(rotate(populated, settle_seconds=0.01))
    [left] = read_keys(path)
    assert left != old
    assert decrypt_all(SecretCipher(left), populated.database) == EXPECTED
    # An interrupted rotation is completed; only one that had not started creates another key.
    assert (between[0] == left) is (len(between) == 2)
    assert not path.with_name("secret-key.new").exists()


@pytest.mark.each_database
async def test_concurrent_change_is_not_lost(populated: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server stores another secret between reading and replacing the old one."""
    server = KeyFileCipher(populated.data_dir / "secret-key", lambda _: None)
    original = reencryption._reencrypt
    changed = []

    async def reencrypt(repository: EncryptedValueRepository, *arguments: Any) -> None:
        if not changed:
            changed.append(True)
            await repository._session.rollback()
            run_sql(
                populated.database,
                "UPDATE providers SET sealed_api_key = :s WHERE id = '0'",
                s=server.encrypt("sk-other"),
            )
        await original(repository, *arguments)

    monkeypatch.setattr(reencryption, "_reencrypt", reencrypt)
    await rotate(populated, settle_seconds=0.01)

    [key] = read_keys(populated.data_dir / "secret-key")
    value = run_sql(populated.database, "SELECT sealed_api_key FROM providers WHERE id = '0'")
    assert SecretCipher(key).decrypt(value) == "sk-other"


@pytest.mark.parametrize("interrupted", [False, True], ids=["new rotation", "after an interrupted one"])
@pytest.mark.each_database
async def test_late_write_with_the_old_key_is_reencrypted(
    populated: Settings,
    settings_with_both_keys: Settings,
    old: str,
    monkeypatch: pytest.MonkeyPatch,
    interrupted: bool,
) -> None:
    if interrupted:
        write_keys(populated.data_dir / "secret-key", [NEW, old])
        await rotate(settings_with_both_keys)
    late = SecretCipher(old).encrypt("sk-late")
    original = reencryption.reencrypt_once
    passes = []

    async def then_late(*arguments: Any) -> Any:
        step = await original(*arguments)
        passes.append(step)
        if len(passes) == 1:
            run_sql(
                populated.database, "UPDATE providers SET sealed_api_key = :late WHERE id = '0'", late=late
            )
        return step

    monkeypatch.setattr(rotation, "reencrypt_once", then_late)
    await rotate(populated, settle_seconds=0.01)

    [key] = read_keys(populated.data_dir / "secret-key")
    value = run_sql(populated.database, "SELECT sealed_api_key FROM providers WHERE id = '0'")
    assert SecretCipher(key).decrypt(value) == "sk-late"
    assert len(passes) == 3


async def test_endless_writes_with_the_old_key_fail(
    settings_with_both_keys: Settings, old: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = reencryption.reencrypt_once

    async def then_again(*arguments: Any) -> Any:
        step = await original(*arguments)
        again = SecretCipher(old).encrypt("sk-again")
        run_sql(
            settings_with_both_keys.database,
            "UPDATE providers SET sealed_api_key = :again WHERE id = '0'",
            again=again,
        )
        return step

    monkeypatch.setattr(rotation, "reencrypt_once", then_again)

    with pytest.raises(OperationError, match="restart every process"):
        await rotate(settings_with_both_keys)


@ON_SQLITE
class TestErrors:
    async def test_missing_key_file(self, populated: Settings) -> None:
        (populated.data_dir / "secret-key").unlink()

        with pytest.raises(OperationError, match=r"key file .* does not exist"):
            await rotate(populated)

        assert not (populated.data_dir / "secret-key").exists()

    async def test_concurrent_rotation(self, populated: Settings, old: str) -> None:
        other = os.open(populated.data_dir, os.O_RDONLY)
        fcntl.flock(other, fcntl.LOCK_EX)

        with pytest.raises(OperationError, match="Another process"):
            await rotate(populated)

        os.close(other)
        assert read_keys(populated.data_dir / "secret-key") == [old]

    async def test_third_key_is_removed(self, populated: Settings, old: str) -> None:
        third = Fernet.generate_key().decode()
        write_keys(populated.data_dir / "secret-key", [NEW, old, third])

        done = await rotate(populated, settle_seconds=0.01)

        assert (done.key_is_new, done.dropped) == (False, 2)
        assert read_keys(populated.data_dir / "secret-key") == [NEW]


def test_every_encrypted_value_is_in_a_sealed_column() -> None:
    """Every result of `encrypt` is assigned to a `sealed_...` attribute, where the rotation finds it."""
    elsewhere = []
    # Cookies of sessions and sign-ins, and grants of traces, are not stored: a rotation ends the old ones.
    not_stored = {"attempts.py", "browser_sessions.py", "grants.py"}
    for path in (BACKEND / "crewai_runner" / "features").rglob("*.py"):
        if path.name in not_stored:
            continue
        for statement in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(statement, ast.stmt)
                and not hasattr(statement, "body")
                and _calls_encrypt(statement)
            ):
                targets = getattr(statement, "targets", [])
                if not any(str(getattr(target, "attr", "")).startswith("sealed_") for target in targets):
                    elsewhere.append(f"{path.name}:{statement.lineno}")

    assert elsewhere == []
    assert SECRETS > 0


def _calls_encrypt(statement: ast.stmt) -> bool:
    return any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "encrypt"
        for node in ast.walk(statement)
    )
