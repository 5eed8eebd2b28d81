"""Who is alive, judged by the database's clock."""

import threading
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Engine, text

from crewai_runner.queue.database_engine import make_queue_engine
from crewai_runner.queue.leases import WorkerLease, create_lease_table

SECONDS = 0.5


@pytest.fixture
def engine(postgres_url: str) -> Iterator[Engine]:
    engine = make_queue_engine(postgres_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE SCHEMA dbos"))
    create_lease_table(postgres_url)
    yield engine
    engine.dispose()


def holders(engine: Engine) -> set[str]:
    with engine.connect() as connection:
        return set(connection.execute(text("SELECT executor_id FROM dbos.worker_lease")).scalars())


def pretend(engine: Engine, who: str, last_seen: str, fresh_since: str) -> None:
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO dbos.worker_lease VALUES (:who, now() - CAST(:seen AS interval),"
                " now() - CAST(:fresh AS interval)) ON CONFLICT (executor_id) DO UPDATE"
                " SET last_seen = excluded.last_seen, fresh_since = excluded.fresh_since"
            ),
            {"who": who, "seen": last_seen, "fresh": fresh_since},
        )


class TestWorkerLease:
    @pytest.fixture
    def lost(self) -> threading.Event:
        return threading.Event()

    @pytest.fixture
    def lease(self, postgres_url: str, lost: threading.Event) -> Iterator[WorkerLease]:
        lease = WorkerLease(postgres_url, "me", seconds=SECONDS, on_lost=lost.set)
        yield lease
        lease.release()

    def test_release_deletes_the_lease(self, engine: Engine, lease: WorkerLease) -> None:
        lease.acquire()
        assert holders(engine) == {"me"}

        lease.release()

        assert holders(engine) == set()

    def test_retires_only_expired_workers(self, engine: Engine, lease: WorkerLease) -> None:
        pretend(engine, "alive", last_seen="-60 s", fresh_since="60 s")  # as if it beat again and again
        pretend(engine, "dead", last_seen="60 s", fresh_since="120 s")

        lease.acquire()

        _wait_for(lambda: "dead" not in holders(engine))
        assert holders(engine) == {"me", "alive"}

    def test_reports_a_lost_lease(self, engine: Engine, lease: WorkerLease, lost: threading.Event) -> None:
        lease.acquire()

        with engine.begin() as connection:
            connection.execute(text("DELETE FROM dbos.worker_lease"))

        assert lost.wait(20)

    def test_retires_no_worker_right_after_an_outage(
        self, engine: Engine, postgres_url: str, lost: threading.Event
    ) -> None:
        lease = WorkerLease(postgres_url, "me", seconds=600, on_lost=lost.set)
        pretend(engine, "me", last_seen="1 hour", fresh_since="1 day")
        pretend(engine, "also back soon", last_seen="1 hour", fresh_since="1 day")

        with engine.begin() as connection:
            assert lease._renew(connection)

        assert holders(engine) == {"me", "also back soon"}
        lease.release()

    def test_keeps_renewing_after_a_broken_connection(
        self, engine: Engine, lease: WorkerLease, lost: threading.Event
    ) -> None:
        lease.acquire()
        before = _last_seen(engine)
        with engine.begin() as connection:
            connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            )

        _wait_for(lambda: _last_seen(engine) > before)

        assert not lost.is_set()


class TestCreateLeaseTable:
    def test_concurrent_calls_succeed(self, postgres_url: str) -> None:
        engine = make_queue_engine(postgres_url)
        with engine.begin() as connection:
            connection.execute(text("CREATE SCHEMA dbos"))
        errors: list[BaseException] = []

        def create() -> None:
            try:
                create_lease_table(postgres_url)
            except BaseException as error:
                errors.append(error)

        threads = [threading.Thread(target=create) for _ in range(8)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()

        assert errors == []
        engine.dispose()


def _last_seen(engine: Engine) -> float:
    with engine.connect() as connection:
        return float(
            connection.execute(
                text("SELECT extract(epoch FROM last_seen) FROM dbos.worker_lease")
            ).scalar_one()
        )


def _wait_for(happened: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(2000):
        if happened():
            return
        pause.wait(0.01)
    raise AssertionError("it never happened")
