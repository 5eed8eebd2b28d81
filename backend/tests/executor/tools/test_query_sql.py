"""`query_sql` against real PostgreSQL: what it reads, and what it cannot be made to do."""

import asyncio
import contextlib
import json
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr
from sqlalchemy.engine import make_url

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.core.egress_meter import RequestResult
from crewai_runner.core.keyring import secret_parts
from crewai_runner.core.secret_mask import MASK, TextMask
from crewai_runner.executor.tool_binding import ToolBinding
from crewai_runner.executor.tools import query_sql
from crewai_runner.executor.tools.builtin import bind_builtin
from crewai_runner.executor.tools.calls import ToolCalls
from crewai_runner.executor.tools.runner import ToolCallFailed, ToolEgress
from crewai_runner.executor.tools.runners import make_runners
from tests.support.database import empty_postgresql
from tests.support.request_ledger import Ledger
from tests.support.servers import server

PASSWORD = "canary-password-83hf72kd01"
HERE = EgressPolicy(allow_private=True)
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture(scope="module")
def database() -> Iterator[psycopg.Connection[Any]]:
    """A database with the table `items`, and a role `reader` of its own that may also write it."""
    with empty_postgresql() as url:
        address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(address, autocommit=True) as owner:
            role = f"reader_{uuid.uuid4().hex[:8]}"
            owner.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'")
            owner.execute("CREATE TABLE items (id int PRIMARY KEY, name text, price numeric)")
            owner.execute("INSERT INTO items VALUES (1, 'tea', 3.50), (2, NULL, 4), (3, 'coffee', 5)")
            owner.execute("CREATE SEQUENCE numbers")
            owner.execute(f"GRANT ALL ON items, numbers TO {role}")
            owner.execute(f"GRANT ALL ON SCHEMA public TO {role}")
            owner.execute(
                "CREATE FUNCTION sneak() RETURNS int LANGUAGE sql AS "
                "'INSERT INTO items VALUES (66) RETURNING id'"
            )
            yield owner
            owner.execute(f"DROP OWNED BY {role}")
            owner.execute(f"DROP ROLE {role}")


def bind(database: psycopg.Connection[Any], **changes: Any) -> ToolBinding:
    with contextlib.closing(
        database.execute("SELECT rolname FROM pg_roles WHERE rolname LIKE 'reader\\_%'")
    ) as found:
        [user] = list(found)[-1]
    details = database.info
    config = {
        "kind": "postgresql",
        "base_url": f"postgresql://127.0.0.1:{details.port}/{details.dbname}",
        "username": user,
        "tls": "off",
        **changes,
    }
    binding = bind_builtin("query_sql")
    return replace(binding, config={"connections": {"Shop": config}}, secrets={"Shop": SecretStr(PASSWORD)})


async def call(binding: ToolBinding, query: str, egress: EgressPolicy = HERE, **arguments: Any) -> list[Any]:
    mask = TextMask(secret_parts(*binding.secrets.values()))
    calls = ToolCalls(make_runners(), ToolEgress(egress, egress), mask)
    text = await calls.call(binding, {"query": query, **arguments})
    return [json.loads(line) if line.startswith(('["', "[null")) else line for line in text.split("\n")]


async def failure_of(binding: ToolBinding, query: str, egress: EgressPolicy = HERE) -> str:
    with pytest.raises(ToolCallFailed) as failure:
        await call(binding, query, egress)
    assert PASSWORD not in str(failure.value)
    return str(failure.value)


def count_items(database: psycopg.Connection[Any]) -> int:
    [(number,)] = database.execute("SELECT count(*) FROM items").fetchall()
    return int(number)


class TestReading:
    async def test_columns_and_rows(self, database: psycopg.Connection[Any]) -> None:
        assert await call(bind(database), "SELECT id, name, price FROM items ORDER BY id;") == [
            ["id", "name", "price"],
            ["1", "tea", "3.50"],
            ["2", None, "4"],
            ["3", "coffee", "5"],
        ]

    async def test_row_limit(self, database: psycopg.Connection[Any]) -> None:
        found = await call(bind(database), "SELECT id FROM items ORDER BY id", max_rows=2)

        assert found == [["id"], ["1"], ["2"], "[2 rows are shown; there are more]"]

    async def test_what_python_cannot_hold(self, database: psycopg.Connection[Any]) -> None:
        found = await call(bind(database), "SELECT 'infinity'::date AS day, '{1,2}'::int[] AS list")

        assert found == [["day", "list"], ["infinity", "{1,2}"]]

    @pytest.mark.parametrize(
        "query", ["WITH a AS (SELECT 1 AS x) SELECT x FROM a", "VALUES (1)", "TABLE items", "SELECT 1 -- why"]
    )
    async def test_every_form_of_a_query(self, database: psycopg.Connection[Any], query: str) -> None:
        assert len(await call(bind(database), query)) >= 2

    async def test_no_rows(self, database: psycopg.Connection[Any]) -> None:
        assert await call(bind(database), "SELECT id FROM items WHERE false") == [["id"], "[no rows]"]

    async def test_shows_the_error_of_the_database(self, database: psycopg.Connection[Any]) -> None:
        assert 'column "nam" does not exist' in await failure_of(bind(database), "SELECT nam FROM items")

    async def test_wrong_arguments(self, database: psycopg.Connection[Any]) -> None:
        assert "The arguments of query_sql are not valid" in await failure_of(bind(database), "")


class TestAttacks:
    @pytest.mark.parametrize(
        "query",
        [
            "INSERT INTO items VALUES (99)",
            "DELETE FROM items RETURNING id",
            "WITH gone AS (DELETE FROM items RETURNING id) SELECT * FROM gone",
            "SELECT 1; DELETE FROM items",
            "SELECT 1; COMMIT; DELETE FROM items",
            "COMMIT",
            "SELECT sneak()",
            "SELECT nextval('numbers')",
            "SELECT * INTO other FROM items",
            "SELECT id FROM items FOR UPDATE",
            "SELECT set_config('transaction_read_only', 'off', false), sneak()",
            "SET transaction_read_only = off",
            "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE",
            "COPY items TO PROGRAM 'cat > /tmp/canary'",
            "COPY (SELECT 1) TO '/tmp/canary'",
            "SELECT pg_read_file('/etc/passwd')",
            "SELECT * FROM pg_ls_dir('/')",
            "SELECT lo_import('/etc/passwd')",
            "DO $$ BEGIN PERFORM 1; END $$",
            "SELECT 1) TO STDOUT; --",
            "EXPLAIN ANALYZE DELETE FROM items",
        ],
    )
    async def test_changes_and_reads_nothing_else(
        self, database: psycopg.Connection[Any], query: str
    ) -> None:
        assert await failure_of(bind(database), query)
        assert count_items(database) == 3
        [(used,)] = database.execute("SELECT is_called FROM numbers").fetchall()
        assert not used

    async def test_a_user_with_the_rights_of_the_server_is_refused(
        self, database: psycopg.Connection[Any]
    ) -> None:
        [(owner,)] = database.execute("SELECT current_user").fetchall()

        message = await failure_of(bind(database, username=owner), "SELECT 1")

        assert "could read files of the database server" in message

    async def test_a_member_of_such_a_role_is_refused(self, database: psycopg.Connection[Any]) -> None:
        user = bind(database).config["connections"]["Shop"]["username"]
        database.execute(f"GRANT pg_read_server_files TO {user}")
        try:
            assert "pg_read_server_files" in await failure_of(bind(database), "SELECT 1")
        finally:
            database.execute(f"REVOKE pg_read_server_files FROM {user}")

    async def test_a_long_query_is_cancelled(
        self, database: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings = query_sql._SETTINGS.replace(f"'{query_sql.STATEMENT_SECONDS}s'", "'300ms'")
        monkeypatch.setattr(query_sql, "_SETTINGS", settings)

        query = "SELECT set_config('statement_timeout', '0', false), pg_sleep(60)"

        assert "took longer than" in await failure_of(bind(database), query)

    async def test_huge_values_are_cut_off(self, database: psycopg.Connection[Any]) -> None:
        message = await failure_of(bind(database), "SELECT repeat('x', 50000000)")

        assert "more than 8 MB" in message

    async def test_long_results_are_shortened(self, database: psycopg.Connection[Any]) -> None:
        found = await call(bind(database), "SELECT repeat('x', 5000) FROM generate_series(1, 100)")

        assert len(found[1][0]) == 2_001
        assert found[-1] == "[9 rows are shown; there are more]"

    async def test_private_addresses_are_refused(self, database: psycopg.Connection[Any]) -> None:
        message = await failure_of(bind(database), "SELECT 1", EgressPolicy(allow_private=False))

        assert "private network" in message

    async def test_secrets_are_masked(self, database: psycopg.Connection[Any]) -> None:
        assert await call(bind(database), f"SELECT '{PASSWORD}' AS a, 'x' || 'y' AS b") == [
            ["a", "b"],
            [MASK, "xy"],
        ]


class TestConnection:
    async def test_is_in_the_ledger(self, database: psycopg.Connection[Any]) -> None:
        ledger = Ledger()
        binding = bind(database)

        await call(binding, "SELECT 1", replace(HERE, observer=ledger))
        await failure_of(binding, "SELECT 1", EgressPolicy(allow_private=False, observer=ledger))

        allowed, refused = ledger.entries
        assert (allowed.host, allowed.port, allowed.result) == (
            "127.0.0.1",
            database.info.port,
            RequestResult.ALLOWED,
        )
        assert allowed.sent > 100
        assert allowed.received > 100
        assert (refused.result, refused.sent) == (RequestResult.REFUSED, 0)

    async def test_without_tls_where_it_is_required(self, database: psycopg.Connection[Any]) -> None:
        message = await failure_of(bind(database, tls="verify"), "SELECT 1")

        assert "does not support SSL" in message

    async def test_refused_connection(self, database: psycopg.Connection[Any]) -> None:
        async def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.close()

        async with server(hang_up) as port:
            closed = port
        binding = bind(database, base_url=f"postgresql://127.0.0.1:{closed}/shop")

        assert "was not reached" in await failure_of(binding, "SELECT 1")

    async def test_ends_in_time_and_cuts_the_query(self, database: psycopg.Connection[Any]) -> None:
        binding = replace(bind(database), timeout_seconds=0.5)

        message = await failure_of(binding, "SELECT pg_sleep(60)")

        assert message == "query_sql did not answer within 0.5 seconds."
        assert self._count_running(database) == 0

    async def test_a_stop_cancels_the_query_at_the_server(self, database: psycopg.Connection[Any]) -> None:
        running = asyncio.create_task(call(bind(database), "SELECT pg_sleep(60)"))
        while not self._count_running(database):
            await asyncio.sleep(0.02)
        stopped_at = time.monotonic()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

        assert time.monotonic() - stopped_at < 1
        assert self._count_running(database) == 0

    async def test_a_stop_leaves_a_silent_server(self, database: psycopg.Connection[Any]) -> None:
        connected = asyncio.Event()

        async def listen(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
            connected.set()
            await reader.read()

        async with server(listen) as port:
            binding = bind(database, base_url=f"postgresql://127.0.0.1:{port}/shop")
            running = asyncio.create_task(call(binding, "SELECT 1"))
            await connected.wait()
            stopped_at = time.monotonic()
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running

        assert time.monotonic() - stopped_at < 1

    @staticmethod
    def _count_running(database: psycopg.Connection[Any]) -> int:
        running = "query LIKE 'FETCH%read_rows%' AND state = 'active'"
        query = f"SELECT count(*) FROM pg_stat_activity WHERE {running}"
        [(number,)] = database.execute(query).fetchall()
        return int(number)
