"""A new key for stored secrets: idempotent, beside writers, killed anywhere; what nobody opens is named."""

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
from crewai_runner.operations import rotation, seals
from crewai_runner.operations.refusal import Refused
from crewai_runner.operations.repository import SealedRepository, sealed_columns
from crewai_runner.operations.rotation import rotate
from tests.operations.conftest import ON_SQLITE, settings_of
from tests.operations.rotating import POINTS
from tests.operations.rows import ROWS, dump, one
from tests.support.product import BACKEND

NEW = Fernet.generate_key().decode()
SECRETS = ROWS * len(list(sealed_columns()))


def sealed(url: str) -> list[str]:
    return [
        one(
            url,
            f"SELECT {column.name} FROM {table.name} WHERE {next(iter(table.primary_key)).name} = '{row}'",
        )
        for table, column in sealed_columns()
        for row in range(ROWS)
    ]


def secrets_by(cipher: SecretCipher, url: str) -> list[str]:
    return [cipher.decrypt(value) for value in sealed(url)]


EXPECTED = [f"sk-canary-of-row-{row}" for _ in sealed_columns() for row in range(ROWS)]


@pytest.fixture
def old(full: Settings) -> str:
    [key] = read_keys(full.data_dir / "secret-key")
    return key


@pytest.fixture
def given(full: Settings, old: str) -> Settings:
    """The same place with both keys in the settings, the new one first."""
    return settings_of(full.data_dir, full.database, secret_key=[NEW, old])


async def test_keys_of_the_settings(given: Settings, old: str) -> None:
    before = dump(given.database)

    first = await rotate(given)
    second = await rotate(given)

    assert (first.secrets, first.resealed, first.unreadable) == (SECRETS, SECRETS, [])
    assert (second.secrets, second.resealed) == (SECRETS, 0)
    assert secrets_by(SecretCipher(NEW), given.database) == EXPECTED
    assert read_keys(given.data_dir / "secret-key") == [old]
    after = dump(given.database)
    touched = {table.name for table, _ in sealed_columns()}
    assert {name for name in before if before[name] != after[name]} == touched


async def test_a_key_file_gets_a_new_key_and_loses_the_old(full: Settings, old: str) -> None:
    done = await rotate(full, settle_seconds=0.01)

    [new] = read_keys(full.data_dir / "secret-key")
    assert new != old
    assert (done.key_is_new, done.resealed, done.dropped, done.kept) == (True, SECRETS, 1, 0)
    assert secrets_by(SecretCipher(new), full.database) == EXPECTED
    again = await rotate(full, settle_seconds=0.01)
    assert again.resealed == SECRETS
    assert read_keys(full.data_dir / "secret-key") not in ([new], [old])


async def test_more_secrets_than_a_batch(full: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seals, "BATCH", 1)

    assert (await rotate(full, settle_seconds=0.01)).resealed == SECRETS


async def test_what_nobody_opens_is_named_and_the_others_are_done(full: Settings, old: str) -> None:
    lost = SecretCipher(Fernet.generate_key().decode()).encrypt("sk-lost")
    one(
        full.database,
        "UPDATE providers SET sealed_api_key = :lost, name = 'Lost one' WHERE id = '1'",
        lost=lost,
    )

    done = await rotate(full, settle_seconds=0.01)

    assert done.unreadable == ["providers: Lost one"]
    assert (done.complete, done.resealed, done.dropped, done.kept) == (False, SECRETS - 1, 0, 1)
    new, kept = read_keys(full.data_dir / "secret-key")
    assert kept == old
    assert one(full.database, "SELECT sealed_api_key FROM providers WHERE id = '1'") == lost
    one(full.database, "UPDATE providers SET sealed_api_key = NULL WHERE id = '1'")
    again = await rotate(full, settle_seconds=0.01)
    assert (again.complete, again.key_is_new, again.resealed) == (True, False, 0)
    assert read_keys(full.data_dir / "secret-key") == [new]


@pytest.mark.parametrize("point", POINTS)
def test_a_kill_anywhere_leaves_everything_readable(full: Settings, old: str, point: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.operations.rotating", point, str(full.data_dir), full.database],
        cwd=BACKEND,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr

    path = full.data_dir / "secret-key"
    between = read_keys(path)
    assert secrets_by(KeyFileCipher(path, lambda _: None), full.database) == EXPECTED
    asyncio.run(rotate(full, settle_seconds=0.01))
    [left] = read_keys(path)
    assert left != old
    assert secrets_by(SecretCipher(left), full.database) == EXPECTED
    # A rotation that was begun is ended; only one that never began makes another key.
    assert (between[0] == left) is (len(between) == 2)
    assert not path.with_name("secret-key.new").exists()


async def test_a_secret_that_is_changed_meanwhile_is_not_lost(
    full: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between reading a seal and replacing it somebody stores another secret, sealed as servers do it."""
    server = KeyFileCipher(full.data_dir / "secret-key", lambda _: None)
    original = seals._reseal
    changed = []

    async def reencrypt(repository: SealedRepository, *arguments: Any) -> None:
        if not changed:
            changed.append(True)
            await repository._session.rollback()
            one(
                full.database,
                "UPDATE providers SET sealed_api_key = :s WHERE id = '0'",
                s=server.encrypt("sk-other"),
            )
        await original(repository, *arguments)

    monkeypatch.setattr(seals, "_reseal", reencrypt)
    await rotate(full, settle_seconds=0.01)

    [key] = read_keys(full.data_dir / "secret-key")
    value = one(full.database, "SELECT sealed_api_key FROM providers WHERE id = '0'")
    assert SecretCipher(key).decrypt(value) == "sk-other"


@pytest.mark.parametrize("begun", [False, True], ids=["from the start", "after one that was cut short"])
async def test_a_server_that_sealed_late_under_the_old_key_is_waited_for(
    full: Settings, given: Settings, old: str, monkeypatch: pytest.MonkeyPatch, begun: bool
) -> None:
    if begun:
        write_keys(full.data_dir / "secret-key", [NEW, old])
        await rotate(given)
    late = SecretCipher(old).encrypt("sk-late")
    original = seals.reseal_once
    passes = []

    async def then_late(*arguments: Any) -> Any:
        step = await original(*arguments)
        passes.append(step)
        if len(passes) == 1:
            one(full.database, "UPDATE providers SET sealed_api_key = :late WHERE id = '0'", late=late)
        return step

    monkeypatch.setattr(rotation, "reseal_once", then_late)
    await rotate(full, settle_seconds=0.01)

    [key] = read_keys(full.data_dir / "secret-key")
    value = one(full.database, "SELECT sealed_api_key FROM providers WHERE id = '0'")
    assert SecretCipher(key).decrypt(value) == "sk-late"
    assert len(passes) == 3


async def test_servers_that_keep_sealing_under_the_old_key_end_it(
    given: Settings, old: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = seals.reseal_once

    async def then_again(*arguments: Any) -> Any:
        step = await original(*arguments)
        again = SecretCipher(old).encrypt("sk-again")
        one(given.database, "UPDATE providers SET sealed_api_key = :again WHERE id = '0'", again=again)
        return step

    monkeypatch.setattr(rotation, "reseal_once", then_again)

    with pytest.raises(Refused, match="restart every process"):
        await rotate(given)


@ON_SQLITE
class TestRefusals:
    async def test_without_a_key_file(self, full: Settings) -> None:
        (full.data_dir / "secret-key").unlink()

        with pytest.raises(Refused, match="no key file"):
            await rotate(full)

        assert not (full.data_dir / "secret-key").exists()

    async def test_two_at_once(self, full: Settings, old: str) -> None:
        other = os.open(full.data_dir, os.O_RDONLY)
        fcntl.flock(other, fcntl.LOCK_EX)

        with pytest.raises(Refused, match="Another process"):
            await rotate(full)

        os.close(other)
        assert read_keys(full.data_dir / "secret-key") == [old]

    async def test_a_third_key_goes_too(self, full: Settings, old: str) -> None:
        third = Fernet.generate_key().decode()
        write_keys(full.data_dir / "secret-key", [NEW, old, third])

        done = await rotate(full, settle_seconds=0.01)

        assert (done.key_is_new, done.dropped) == (False, 2)
        assert read_keys(full.data_dir / "secret-key") == [NEW]


def test_whatever_is_sealed_lies_where_the_rotation_looks() -> None:
    """Every value that comes from a keyring's `encrypt` goes into a column named `sealed_...`."""
    elsewhere = []
    for path in (BACKEND / "crewai_runner" / "features").rglob("*.py"):
        for statement in ast.walk(ast.parse(path.read_text())):
            if isinstance(statement, ast.stmt) and not hasattr(statement, "body") and _seals(statement):
                targets = getattr(statement, "targets", [])
                if not any(str(getattr(target, "attr", "")).startswith("sealed_") for target in targets):
                    elsewhere.append(f"{path.name}:{statement.lineno}")

    assert elsewhere == []
    assert SECRETS > 0


def _seals(statement: ast.stmt) -> bool:
    return any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "encrypt"
        for node in ast.walk(statement)
    )
