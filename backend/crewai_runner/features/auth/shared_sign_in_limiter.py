"""Limits failed sign-ins over all processes (PostgreSQL)."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine

from sqlalchemy.exc import SQLAlchemyError

from crewai_runner.core.logging import get_logger
from crewai_runner.db.session import Sessions, read_session, unit_of_work
from crewai_runner.features.auth.repository import FailureRates, SignInLimitRepository
from crewai_runner.features.auth.rules import ACCOUNT_FACTOR, MAX_CLIENTS
from crewai_runner.features.auth.sign_in_limiter import MemorySignInLimiter

log = get_logger(__name__)
READ_SECONDS = 10.0
"""How long a process relies on what it has read about an address."""
DATABASE_SECONDS = 2.0
"""How long a sign-in waits for the database; then the counts of this process decide."""


class SharedSignInLimiter:
    """Counts failures in memory and in the database, one statement per failure.

    The statement returns what all processes have counted. Each process compares the next key of an account
    only after the last failure of that account is stored, so N processes together allow at most N - 1
    failures above the limit, which delay the next ones accordingly. Refused sign-ins need no statement, valid
    ones one query per address in READ_SECONDS, and one write when an address is new.
    """

    def __init__(
        self, sessions: Sessions, per_minute: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._sessions, self._clock = sessions, clock
        self._rates = FailureRates(per_minute, per_minute * ACCOUNT_FACTOR)
        self._memory = MemorySignInLimiter(per_minute, clock)
        self._read_at: OrderedDict[str, float] = OrderedDict()
        self._reads: dict[str, asyncio.Task[None]] = {}
        self._stores: dict[str, asyncio.Task[None]] = {}

    async def get_wait_seconds(self, address: str, account: str) -> float:
        while tasks := self._find_unfinished(address, account):
            # Not cancelled with this request: other requests wait for the same tasks.
            done, _ = await asyncio.wait(tasks, timeout=DATABASE_SECONDS)
            if not done:
                break
        return self._memory.find_wait_seconds(address, account)

    async def record_failure(self, address: str, account: str) -> None:
        self._memory.count_failure(address, account)
        task = asyncio.create_task(self._run(self._store_failure(address, account)))
        self._stores[account] = task
        task.add_done_callback(lambda _: self._forget_store(account, task))
        await asyncio.wait([task], timeout=DATABASE_SECONDS)

    async def record_success(self, address: str, account: str) -> None:
        if self._memory.is_known(address, account):
            return
        self._memory.add_known(address, account)
        await self._run(self._store_success(address, account))

    def _find_unfinished(self, address: str, account: str) -> list[asyncio.Task[None]]:
        """Return the statements whose results decide on this sign-in; starts the query if it is due."""
        if address not in self._reads and self._is_read_due(address):
            task = asyncio.create_task(self._run(self._read(address, account)))
            self._reads[address] = task
            task.add_done_callback(lambda _: self._finish_read(address))
        return [task for task in (self._reads.get(address), self._stores.get(account)) if task is not None]

    def _is_read_due(self, address: str) -> bool:
        read_at = self._read_at.get(address)
        return read_at is None or self._clock() - read_at >= READ_SECONDS

    def _finish_read(self, address: str) -> None:
        del self._reads[address]
        self._read_at[address] = self._clock()
        self._read_at.move_to_end(address)
        if len(self._read_at) > MAX_CLIENTS:
            self._read_at.popitem(last=False)

    def _forget_store(self, account: str, task: asyncio.Task[None]) -> None:
        if self._stores.get(account) is task:
            del self._stores[account]

    async def _run(self, statement: Coroutine[None, None, None]) -> None:
        """Without the database each process limits the failures that it has seen itself."""
        try:
            await statement
        except (SQLAlchemyError, OSError) as error:
            log.warning("sign_in_limit.database_unavailable", error=type(error).__name__)

    async def _read(self, address: str, account: str) -> None:
        async with read_session(self._sessions) as session:
            counts = await SignInLimitRepository(session).get(address, account, self._rates)
        self._memory.raise_counts(address, counts.address_failures, account, counts.account_failures)
        if counts.is_known:
            self._memory.add_known(address, account)

    async def _store_failure(self, address: str, account: str) -> None:
        async with unit_of_work(self._sessions) as session:
            counts = await SignInLimitRepository(session).add_failure(address, account, self._rates)
        self._memory.raise_counts(address, counts.address_failures, account, counts.account_failures)

    async def _store_success(self, address: str, account: str) -> None:
        async with unit_of_work(self._sessions) as session:
            await SignInLimitRepository(session).add_known(address, account)
