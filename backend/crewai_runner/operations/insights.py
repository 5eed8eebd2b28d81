"""Compute the statistics of runs again, while the server may run."""

from crewai_runner.core.settings import Settings
from crewai_runner.db.migrate import upgrade_async
from crewai_runner.db.session import make_engine, make_sessions
from crewai_runner.features.insights.service import OutcomeTotals


async def rebuild_insights(settings: Settings) -> int:
    """Rebuild the totals from the runs; returns the number of finished runs."""
    await upgrade_async(settings.database)
    engine = make_engine(settings.database, pool_size=1)
    try:
        return await OutcomeTotals(make_sessions(engine)).rebuild()
    finally:
        await engine.dispose()
