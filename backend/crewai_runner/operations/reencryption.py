"""Find the key of every stored secret, and re-encrypt secrets with the first key."""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from crewai_runner.core.encryption import SecretCipher, SecretUnreadable
from crewai_runner.core.secret_key import key_fingerprint
from crewai_runner.db.session import Sessions, make_engine, make_sessions, read_session, unit_of_work
from crewai_runner.operations.manifest import EncryptedCounts
from crewai_runner.operations.repository import (
    EncryptedValue,
    EncryptedValueRepository,
    Key,
    encrypted_columns,
)

BATCH_SIZE = 100


@dataclass
class PassResult:
    """The result of one pass. `unreadable`: owners of secrets that no key decrypts."""

    up_to_date: int = 0
    reencrypted: int = 0
    changed_meanwhile: int = 0
    unreadable: list[str] = field(default_factory=list)


def can_decrypt(key: str, ciphertext: str) -> bool:
    try:
        SecretCipher(key).decrypt(ciphertext)
    except SecretUnreadable:
        return False
    return True


async def count_by_key(url: str, keys: Sequence[str]) -> tuple[EncryptedCounts, list[str]]:
    """Count stored secrets by the key that decrypts them; also returns owners of undecryptable ones."""
    found: Counter[str] = Counter()
    unreadable: list[str] = []
    engine = make_engine(url, pool_size=1)
    try:
        async for batch in _read_batches(make_sessions(engine)):
            for value in batch:
                decrypting_key = next((key for key in keys if can_decrypt(key, value.ciphertext)), None)
                if decrypting_key is None:
                    unreadable.append(value.owner)
                else:
                    found[key_fingerprint(decrypting_key)] += 1
    finally:
        await engine.dispose()
    return EncryptedCounts(by_key=dict(found), unreadable=len(unreadable)), unreadable


async def reencrypt_once(sessions: Sessions, keys: Sequence[str]) -> PassResult:
    """Re-encrypt everything with the first key, one transaction per batch; concurrent changes win."""
    result, cipher = PassResult(), SecretCipher(*keys)
    async for batch in _read_batches(sessions):
        stale = [value for value in batch if not can_decrypt(keys[0], value.ciphertext)]
        result.up_to_date += len(batch) - len(stale)
        async with unit_of_work(sessions) as session:
            repository = EncryptedValueRepository(session)
            for value in stale:
                await _reencrypt(repository, cipher, value, result)
    return result


async def _reencrypt(
    repository: EncryptedValueRepository, cipher: SecretCipher, value: EncryptedValue, result: PassResult
) -> None:
    try:
        ciphertext = cipher.reencrypt(value.ciphertext)
    except SecretUnreadable:
        result.unreadable.append(value.owner)
        return
    if await repository.replace(value, ciphertext):
        result.reencrypted += 1
    else:
        result.changed_meanwhile += 1


async def _read_batches(sessions: Sessions) -> AsyncIterator[Sequence[EncryptedValue]]:
    async with read_session(sessions) as session:
        tables = await EncryptedValueRepository(session).tables()
    for table, column in encrypted_columns():
        key: Key | None = None
        while table.name in tables:
            async with read_session(sessions) as session:
                batch = await EncryptedValueRepository(session).after(table, column, key, BATCH_SIZE)
            if not batch:
                break
            yield batch
            key = batch[-1].key
