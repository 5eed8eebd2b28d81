"""What is stored: secrets that open, a queue with its tables, workers that live."""

import asyncio
from collections.abc import Iterator

from sqlalchemy import Connection, inspect, text

from crewai_runner.core.settings import Settings
from crewai_runner.operations.doctor.finding import Finding, fail, ok, warn
from crewai_runner.operations.doctor.folder import usable_keys
from crewai_runner.operations.seals import survey
from crewai_runner.queue.engine import QUEUE_TABLES, SCHEMA

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


def secrets(settings: Settings) -> Iterator[Finding]:
    seals, lost = asyncio.run(survey(settings.database, usable_keys(settings)))
    if lost:
        names = ", ".join(sorted(set(lost)))
        hint = "put the key they were sealed under into SECRET_KEY or secret-key, or enter them again"
        yield fail("secrets", f"no key here opens the credential of: {names}", hint)
    else:
        yield ok("secrets", f"{sum(seals.by_key.values())} stored credential(s), all readable")
    if len(seals.by_key) > 1:
        hint = "crewai-runner rotate-secret-key brings them under the first"
        yield warn("secrets", f"they are sealed under {len(seals.by_key)} keys", hint)


def queue(connection: Connection, settings: Settings) -> Iterator[Finding]:
    place = None if settings.is_embedded else SCHEMA
    there = set(inspect(connection).get_table_names(schema=place))
    if "workflow_status" not in there:
        yield warn("queue", "it has no tables yet", "the first start makes them")
        return
    if missing := QUEUE_TABLES - there:
        yield fail(
            "queue", f"tables are missing: {', '.join(sorted(missing))}", "start the server: it makes them"
        )
        return
    if settings.is_embedded:
        jobs = connection.execute(text(_JOBS)).scalar()
        yield ok("queue", f"its tables are there; {jobs} run(s) at work, or going on at the next start")
        return
    yield ok("queue", "its tables are there")
    if "worker_lease" in there:
        yield from _workers(connection, settings)


def _workers(connection: Connection, settings: Settings) -> Iterator[Finding]:
    live, dead = connection.execute(_LEASES, {"lease": settings.lease_seconds}).one()
    orphans = connection.execute(_ORPHANS).scalar()
    hint = "start a worker: it gives them back to the queue"
    if dead:
        yield warn(
            "workers", f"{live} alive; {dead} gave no sign of life for {settings.lease_seconds:g} s", hint
        )
    else:
        yield ok("workers", f"{live} alive")
    if orphans:
        yield warn("orphans", f"{orphans} run(s) at work have lost their worker", hint)
