"""Every stored secret tried with every key at hand; re-sealed under the first."""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from crewai_runner.core.encryption import SecretCipher, SecretUnreadable
from crewai_runner.core.secret_key import key_fingerprint
from crewai_runner.db.session import Sessions, make_engine, make_sessions, read_session, unit_of_work
from crewai_runner.operations.manifest import Seals
from crewai_runner.operations.repository import Key, SealedRepository, SealedValue, sealed_columns

BATCH = 100


@dataclass
class Resealed:
    """What one pass did. `unreadable` names the owners of what no key opens."""

    fresh: int = 0
    resealed: int = 0
    overtaken: int = 0
    unreadable: list[str] = field(default_factory=list)


def opens(key: str, sealed: str) -> bool:
    try:
        SecretCipher(key).decrypt(sealed)
    except SecretUnreadable:
        return False
    return True


async def survey(url: str, keys: Sequence[str]) -> tuple[Seals, list[str]]:
    """Which key opens how many stored secrets, and whose secrets no key opens."""
    found: Counter[str] = Counter()
    unreadable: list[str] = []
    engine = make_engine(url, pool_size=1)
    try:
        async for batch in _batches(make_sessions(engine)):
            for value in batch:
                opener = next((key for key in keys if opens(key, value.sealed)), None)
                if opener is None:
                    unreadable.append(value.owner)
                else:
                    found[key_fingerprint(opener)] += 1
    finally:
        await engine.dispose()
    return Seals(by_key=dict(found), unreadable=len(unreadable)), unreadable


async def reseal_once(sessions: Sessions, keys: Sequence[str]) -> Resealed:
    """Seal everything under the first key, a batch a transaction; what others change meanwhile stays."""
    done, cipher = Resealed(), SecretCipher(*keys)
    async for batch in _batches(sessions):
        stale = [value for value in batch if not opens(keys[0], value.sealed)]
        done.fresh += len(batch) - len(stale)
        async with unit_of_work(sessions) as session:
            repository = SealedRepository(session)
            for value in stale:
                await _reseal(repository, cipher, value, done)
    return done


async def _reseal(
    repository: SealedRepository, cipher: SecretCipher, value: SealedValue, done: Resealed
) -> None:
    try:
        sealed = cipher.reencrypt(value.sealed)
    except SecretUnreadable:
        done.unreadable.append(value.owner)
        return
    if await repository.replace(value, sealed):
        done.resealed += 1
    else:
        done.overtaken += 1


async def _batches(sessions: Sessions) -> AsyncIterator[Sequence[SealedValue]]:
    async with read_session(sessions) as session:
        tables = await SealedRepository(session).tables()
    for table, column in sealed_columns():
        key: Key | None = None
        while table.name in tables:
            async with read_session(sessions) as session:
                batch = await SealedRepository(session).after(table, column, key, BATCH)
            if not batch:
                break
            yield batch
            key = batch[-1].key
