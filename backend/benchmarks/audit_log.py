"""Pages of an audit log of 100,000 entries: at its ends, in its middle, and with each filter."""

import random
import secrets
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import NullPool, create_engine, text

from benchmarks.api_requests import get_body
from benchmarks.bench import Bench, Benchmark
from benchmarks.load import call_continuously
from benchmarks.product import Product, ended
from benchmarks.references.token import TOKEN
from benchmarks.table import Figures
from crewai_runner.core.ids import Prefix
from crewai_runner.core.paging import encode_cursor
from crewai_runner.core.principal import BUILTIN_WORKSPACE
from crewai_runner.db.base import table_of
from crewai_runner.db.migrate import sync_url
from crewai_runner.db.tables.audit import AuditRow
from crewai_runner.domain.audit_record import FIRST_HASH, INSTANCE_CHAIN

ENTRIES = 100_000
BATCH = 10_000
SPAN = timedelta(days=29)
SERVER_WIDE_EVERY = 20
"""Every 20th entry belongs to no workspace."""
PEOPLE = [f"{Prefix.PERSON}_{number:032x}" for number in range(50)]
OPERATIONS = [f"feature{number % 8}:change_{number}" for number in range(60)]
TARGETS = [f"{Prefix.WORKFLOW}_{number:032x}" for number in range(2000)]
CHANGES = '[{"after":"What the value is now","before":"What the value was","field":"workflow.name"}]'


def seed_audit_log(database_url: str, entries: int = ENTRIES) -> Mapping[str, str]:
    """Insert sealed entries, and return the queries of the pages to read by what they show.

    Few people, operations and targets have most of the entries, as in the log of a team.
    """
    rows = list(make_entries(entries))
    engine = create_engine(sync_url(database_url), poolclass=NullPool)
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("ALTER TABLE audit_log SET (autovacuum_enabled = false)"))
        for start in range(0, len(rows), BATCH):
            connection.execute(table_of(AuditRow).insert(), rows[start : start + BATCH])
    engine.dispose()
    return list_queries(rows)


def gather_statistics(database_url: str) -> None:
    """Do what PostgreSQL's autovacuum does soon; the product does not gather statistics on SQLite."""
    engine = create_engine(sync_url(database_url), poolclass=NullPool)
    if engine.dialect.name == "postgresql":
        with engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("VACUUM ANALYZE"))
    engine.dispose()


def make_entries(count: int) -> Iterator[dict[str, Any]]:
    """Yield rows, oldest first; the same contents each time."""
    choice = random.Random(1)
    start, sealed = datetime.now(UTC) - SPAN, dict.fromkeys((BUILTIN_WORKSPACE, INSTANCE_CHAIN), 0)
    for number in range(count):
        at = start + SPAN * number / count
        chain = INSTANCE_CHAIN if number % SERVER_WIDE_EVERY == 0 else BUILTIN_WORKSPACE
        sealed[chain] += 1
        person, is_refused = pick(choice, PEOPLE), choice.random() < 0.05
        yield {
            "id": f"{Prefix.AUDIT_ENTRY}_{int(at.timestamp() * 1000):012x}7{number % 4096:03x}"
            + secrets.token_hex(8),
            "chain": chain,
            "at": at,
            "actor_kind": "person",
            "actor_id": person,
            "person_id": person,
            "address": f"192.0.2.{choice.randrange(250)}",
            "operation": pick(choice, OPERATIONS),
            "target_kind": "workflow",
            "target_id": pick(choice, TARGETS),
            "result": "refused" if is_refused else "succeeded",
            "reason": "scope-missing" if is_refused else None,
            "count": 1,
            "request_id": f"request-{number}",
            "changes": "[]" if is_refused else CHANGES,
            "seq": sealed[chain],
            "previous_hash": FIRST_HASH,
            "hash": FIRST_HASH,
        }


def pick(choice: random.Random, values: list[str]) -> str:
    """Choose a value: the first ones far more often."""
    return values[int(len(values) * choice.random() ** 3)]


def list_queries(rows: list[dict[str, Any]]) -> Mapping[str, str]:
    """Return the parameters of each page: `middle` and `oldest` without a filter, the others filter."""
    middle, oldest = (encode_cursor(rows[at]["id"]) for at in (len(rows) // 2, 60))
    day = quote(rows[len(rows) // 2]["at"].strftime("%Y-%m-%dT%H:%M:%SZ"))
    filters = {
        "frequent-actor": f"actor={PEOPLE[0]}",
        "rare-actor": f"actor={PEOPLE[-1]}",
        "unknown-actor": f"actor={Prefix.PERSON}_{'f' * 32}",
        "kind-of-actor": "actor=person",
        "absent-kind-of-actor": "actor=system",
        "frequent-operation": f"operation={OPERATIONS[0]}",
        "rare-operation": f"operation={OPERATIONS[-1]}",
        "succeeded": "result=succeeded",
        "refused": "result=refused",
        "target": f"target={TARGETS[0]}",
        "rare-target": f"target={TARGETS[-1]}",
        "until": f"until={day}",
        "since": f"since={day}",
        "actor-and-operation": f"actor={PEOPLE[-1]}&operation={OPERATIONS[-1]}",
        "frequent-actor-and-rare-operation": f"actor={PEOPLE[0]}&operation={OPERATIONS[-1]}",
        "actor-and-target": f"actor={PEOPLE[-1]}&target={TARGETS[0]}",
        "refused-of-an-actor": f"actor={PEOPLE[-1]}&result=refused",
        "refused-of-an-operation": f"operation={OPERATIONS[-1]}&result=refused",
    }
    from_middle = {f"{name}-from-middle": f"{query}&cursor={middle}" for name, query in filters.items()}
    ends = {"newest": "", "middle": f"cursor={middle}", "oldest": f"cursor={oldest}"}
    return {**ends, **filters, **from_middle}


async def measure_setup(bench: Bench, setup: str) -> Figures:
    """Read the pages before and after PostgreSQL has statistics about the entries."""
    if setup == "two-hosts":
        return {}  # as in process: no crew runs
    folder = bench.new_folder()
    with bench.database(setup) as url:
        with ended(Product.start(setup, folder, url)) as product:
            await product.ready()
        queries = seed_audit_log(product.url)
        figures = {"audit-unanalyzed": max((await _measure(setup, folder, url, queries)).values())}
        gather_statistics(product.url)
        measured = await _measure(setup, folder, url, queries)
    ends = {f"audit-{name}": measured.pop(name) for name in ("newest", "middle", "oldest")}
    return figures | ends | {"audit-filter": max(measured.values())}


async def _measure(setup: str, folder: Path, url: str, queries: Mapping[str, str]) -> dict[str, float]:
    """Return the p99 of each page in milliseconds."""
    found: dict[str, float] = {}
    with ended(Product.start(setup, folder, url)) as product:
        await product.ready()
        for name, query in queries.items():
            call = get_body(f"/api/v1/audit?limit=50&{query}")
            calls = await call_continuously(product.port, TOKEN, call, connections=1, seconds=1)
            found[name] = calls.at(99)
    return found


BENCHMARK = Benchmark(on_setup=measure_setup, full_only=True)
