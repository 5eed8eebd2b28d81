"""Chooses the adapter behind each port from the settings."""

from collections.abc import Callable

from crewai_runner.core.answer_limits import MEGABYTE, AnswerLimits
from crewai_runner.core.egress import EgressPolicy
from crewai_runner.core.settings import Settings
from crewai_runner.core.url_validation import normalize_host
from crewai_runner.db.session import Sessions
from crewai_runner.executor.port import Executor
from crewai_runner.http.ratelimit.memory import MemoryRateLimiter
from crewai_runner.http.ratelimit.port import Rate, RateLimiter
from crewai_runner.http.ratelimit.shared import SharedRateLimiter
from crewai_runner.queue.data_dir_lock import DataDirLock
from crewai_runner.queue.port import JobQueue
from crewai_runner.stream.notifier import MemoryNotifier, Notifier


def rate_limit(settings: Settings) -> Rate | None:
    """The rate limit of each caller; None when there is no limit."""
    per_minute = settings.rate_limit_per_minute
    return Rate(per_minute, settings.rate_limit_burst) if per_minute else None


def make_rate_limiter(settings: Settings, sessions: Sessions) -> RateLimiter | None:
    """With SQLite there is one process, so counting in memory is exact."""
    rate = rate_limit(settings)
    if rate is None:
        return None
    return MemoryRateLimiter(rate) if settings.is_embedded else SharedRateLimiter(sessions, rate)


def make_notifier(settings: Settings) -> Notifier:
    """With SQLite there is one process, so notifications need not leave it."""
    if settings.is_embedded:
        return MemoryNotifier()
    from crewai_runner.stream.postgres import PostgresNotifier  # noqa: PLC0415

    return PostgresNotifier(settings.database)


def make_egress(settings: Settings) -> EgressPolicy:
    """The policy for providers, whose addresses people enter."""
    limits = AnswerLimits(
        max_bytes=int(settings.answer_max_mb * MEGABYTE),
        max_line_bytes=int(settings.answer_line_max_mb * MEGABYTE),
    )
    return EgressPolicy(allow_private=settings.can_use_private_urls, limits=limits)


def make_tool_egress(settings: Settings) -> EgressPolicy:
    """The policy for tools, whose addresses a model writes: private hosts only by name."""
    hosts = frozenset(normalize_host(host) for host in settings.tool_private_hosts)
    return EgressPolicy(allow_private=False, private_hosts=hosts)


def make_executor(settings: Settings, egress: EgressPolicy) -> Executor:
    """The executor that runs crews in this process. CrewAI itself is imported by its `load()`."""
    from crewai_runner.executor.crew.executor import CrewExecutor  # noqa: PLC0415

    folder = settings.data_dir.absolute() / "engine"
    return CrewExecutor(folder, egress=egress, tool_egress=make_tool_egress(settings))


def make_durable_queue(
    settings: Settings, folder_lock: DataDirLock | None, on_worker_retired: Callable[[], None]
) -> JobQueue:
    """The DBOS queue. Call it in a thread: importing DBOS takes about a second."""
    from crewai_runner.queue.dbos import DbosQueue  # noqa: PLC0415

    return DbosQueue(
        settings.database,
        concurrency=settings.worker_concurrency,
        lease_seconds=settings.lease_seconds,
        on_worker_retired=on_worker_retired,
        folder_lock=folder_lock,
    )
