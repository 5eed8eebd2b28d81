"""The pool of asynchronous connections, which counts the requests that got none."""

from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import AsyncAdaptedQueuePool, PoolProxiedConnection


class CountingPool(AsyncAdaptedQueuePool):
    """A pool of limited size. `timeouts` counts how often no connection was returned in time."""

    timeouts = 0

    def connect(self) -> PoolProxiedConnection:
        """Take a connection. Raises TimeoutError of SQLAlchemy when none is returned in time."""
        try:
            return super().connect()
        except PoolTimeout:
            self.timeouts += 1
            raise


def count_pool_timeouts(engine: AsyncEngine) -> int:
    """Return how often a transaction could not begin because every connection was in use."""
    pool = engine.pool
    return pool.timeouts if isinstance(pool, CountingPool) else 0
