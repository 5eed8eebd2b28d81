"""Checks of stored data: secrets, queue tables, workers."""

import asyncio
from collections.abc import Iterator

from sqlalchemy import Connection, inspect, text

from crewai_runner.core.settings import Settings
from crewai_runner.db.sqlite_space import INCREMENTAL
from crewai_runner.operations.doctor.finding import Finding, fail, ok, warn
from crewai_runner.operations.doctor.folder import usable_keys
from crewai_runner.operations.reencryption import count_by_key
from crewai_runner.queue.database_engine import QUEUE_TABLES, SCHEMA

MAX_UNUSED_BYTES = 64 * 1024**2
_JOBS = "SELECT count(*) FROM workflow_status WHERE status = 'PENDING'"
_ORPHANS = text(
    """
    SELECT count(*) FROM dbos.workflow_status job
     WHERE status = 'PENDING'
       AND NOT EXISTS (SELECT 1 FROM dbos.worker_lease lease WHERE lease.executor_id = job.executor_id)
    """
)
_LEASES = text(
    """
    SELECT count(*) FILTER (WHERE last_seen > now() - make_interval(secs => :lease)),
           count(*) FILTER (WHERE last_seen <= now() - make_interval(secs => :lease))
      FROM dbos.worker_lease
    """
)


def check_secrets(settings: Settings) -> Iterator[Finding]:
    counts, lost = asyncio.run(count_by_key(settings.database, usable_keys(settings)))
    if lost:
        names = ", ".join(sorted(set(lost)))
        hint = "put the key they were encrypted with into SECRET_KEY or secret-key, or enter them again"
        yield fail("secrets", f"no available key decrypts the credential of: {names}", hint)
    else:
        yield ok("secrets", f"{sum(counts.by_key.values())} stored credential(s), all readable")
    if len(counts.by_key) > 1:
        hint = "run crewai-runner rotate-secret-key"
        yield warn("secrets", f"they are encrypted with {len(counts.by_key)} keys", hint)


def check_queue(connection: Connection, settings: Settings) -> Iterator[Finding]:
    schema = None if settings.is_embedded else SCHEMA
    tables = set(inspect(connection).get_table_names(schema=schema))
    if "workflow_status" not in tables:
        yield warn("queue", "there are no queue tables yet", "they are created at the first start")
        return
    if missing := QUEUE_TABLES - tables:
        yield fail(
            "queue", f"tables are missing: {', '.join(sorted(missing))}", "start the server: it creates them"
        )
        return
    if settings.is_embedded:
        jobs = connection.execute(text(_JOBS)).scalar()
        yield ok("queue", f"the tables exist; {jobs} run(s) running or resuming at the next start")
        return
    yield ok("queue", "the tables exist")
    if "worker_lease" in tables:
        yield from _check_workers(connection, settings)


def check_retention(connection: Connection, settings: Settings) -> Iterator[Finding]:
    """Report how long runs are kept, and unused space that an old SQLite file cannot release."""
    runs, events = _describe_days(settings.runs_kept_days), _describe_days(settings.events_kept_days)
    yield ok("retention", f"finished runs are kept {runs}; their events {events}, at most as long as the run")
    if not settings.is_embedded:
        return
    free_pages, page_size, mode = (
        int(connection.execute(text(f"PRAGMA {name}")).scalar() or 0)
        for name in ("freelist_count", "page_size", "auto_vacuum")
    )
    unused = free_pages * page_size
    if mode != INCREMENTAL and unused > MAX_UNUSED_BYTES:
        message = f"{unused // 1024**2:,} MiB of the database file are unused and stay reserved"
        yield warn("file size", message, "stop the server and run crewai-runner compact")


def _describe_days(days: int) -> str:
    return f"{days} day(s)" if days else "for ever"


def _check_workers(connection: Connection, settings: Settings) -> Iterator[Finding]:
    live, dead = connection.execute(_LEASES, {"lease": settings.lease_seconds}).one()
    orphans = connection.execute(_ORPHANS).scalar()
    hint = "start a worker: it requeues them"
    if dead:
        yield warn(
            "workers", f"{live} alive; {dead} have sent no heartbeat for {settings.lease_seconds:g} s", hint
        )
    else:
        yield ok("workers", f"{live} alive")
    if orphans:
        yield warn("orphans", f"{orphans} running run(s) have lost their worker", hint)
