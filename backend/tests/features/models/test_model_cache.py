"""Models are held in memory, and a change is seen by every process before it is relied on."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import event, update

from crewai_runner.core.principal import BUILTIN_WORKSPACE
from crewai_runner.db.session import read_session, unit_of_work
from crewai_runner.db.tables.catalog import ModelRow
from crewai_runner.features.models import model_cache
from crewai_runner.features.models.errors import ModelNotRegistered
from crewai_runner.wiring.container import Container
from tests.support.harness import ON_POSTGRESQL, ON_SQLITE, TIMEOUT_SECONDS, RunHarness, make_settings
from tests.support.server_process import TWO_TASKS

pytestmark = pytest.mark.each_database


async def get_key(container: Container, name: str = "main") -> str:
    """The provider key with which a run would call the model."""
    async with read_session(container.sessions) as session:
        bindings = await container.models(session).get_bindings(BUILTIN_WORKSPACE, [name])
    key = bindings[name].api_key
    return "" if key is None else key.get_secret_value()


async def set_key(client: httpx.AsyncClient, key: str) -> None:
    response = await client.patch("/providers/prov_1", json={"provider": {"apiKey": key}})
    assert response.status_code == 200, response.text


@pytest.fixture
async def statements(harness: RunHarness) -> list[str]:
    found: list[str] = []
    event.listen(
        harness.container.engine.sync_engine,
        "before_cursor_execute",
        lambda _c, _cursor, sql, *_: found.append(sql),
    )
    return found


@ON_SQLITE
class TestOneProcess:
    async def test_second_use_reads_nothing(self, harness: RunHarness, statements: list[str]) -> None:
        await get_key(harness.container)
        statements.clear()

        await get_key(harness.container)

        assert statements == []

    async def test_changed_key_is_used_and_masked(
        self, harness: RunHarness, client: httpx.AsyncClient
    ) -> None:
        await set_key(client, "sk-canary-of-the-old-key-0001")
        assert await get_key(harness.container) == "sk-canary-of-the-old-key-0001"

        await set_key(client, "sk-canary-of-the-new-key-0002")

        assert await get_key(harness.container) == "sk-canary-of-the-new-key-0002"
        assert "0002" not in harness.container.mask("sk-canary-of-the-new-key-0002")
        assert "canary" not in repr(harness.container.model_cache.__dict__)

    async def test_start_with_a_deleted_model_is_refused(
        self, harness: RunHarness, client: httpx.AsyncClient
    ) -> None:
        assert (await client.post("/runs", json={"workflow": TWO_TASKS})).status_code == 202
        assert (await client.delete("/models/mdl_1")).status_code == 204

        response = await client.post("/runs", json={"workflow": TWO_TASKS})

        assert response.status_code == 422

    async def test_statement_without_an_entity_is_noticed(self, harness: RunHarness) -> None:
        await get_key(harness.container)

        async with unit_of_work(harness.container.sessions) as session:
            await session.execute(update(ModelRow).values(name="renamed"))

        await get_key(harness.container, "renamed")
        with pytest.raises(ModelNotRegistered):
            await get_key(harness.container, "main")

    async def test_change_during_a_read_is_not_lost(self, harness: RunHarness) -> None:
        cache = harness.container.model_cache
        async with read_session(harness.container.sessions) as session:
            await session.get(ModelRow, "mdl_1")  # the transaction sees this moment
            async with unit_of_work(harness.container.sessions) as other:
                await other.execute(update(ModelRow).values(name="renamed"))
            reading = asyncio.create_task(harness.container.models(session).list_names(BUILTIN_WORKSPACE))
            await asyncio.sleep(0)
            cache.clear()
            await reading

        with pytest.raises(ModelNotRegistered):
            await get_key(harness.container, "main")

    async def test_unreadable_key_is_read_again(self, harness: RunHarness, client: httpx.AsyncClient) -> None:
        """A rotation of the secret key encrypts the stored keys again and notifies nobody."""
        await set_key(client, "sk-canary-of-the-old-key-0001")
        container = harness.container
        async with read_session(container.sessions) as session:
            stored = await container.models(session)._read_stored(BUILTIN_WORKSPACE)
        provider = stored.providers["prov_1"]._replace(sealed_api_key="of another key")
        container.model_cache._known[BUILTIN_WORKSPACE] = model_cache.WorkspaceModels(
            stored.index, stored.models, {"prov_1": provider}, stored.read_at
        )

        assert await get_key(container) == "sk-canary-of-the-old-key-0001"

    async def test_lost_notification_delays_a_change_by_the_maximum_age(
        self, harness: RunHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await get_key(harness.container)
        async with harness.container.engine.begin() as connection:
            await connection.execute(update(ModelRow).values(name="renamed"))
        await get_key(harness.container, "main")

        monkeypatch.setattr(model_cache, "MAX_AGE_SECONDS", 0.0)

        with pytest.raises(ModelNotRegistered):
            await get_key(harness.container, "main")


@ON_POSTGRESQL
class TestTwoProcesses:
    @pytest.fixture
    async def other(self, harness: RunHarness, tmp_path: Path) -> AsyncIterator[Container]:
        """A second process on the same database; both listen."""
        settings = harness.container.settings
        other = Container(make_settings(settings.database, tmp_path / "other"))
        for container in (harness.container, other):
            await container.notifier.start()
        yield other
        for container in (harness.container, other):
            await container.notifier.stop()
        await other.engine.dispose()

    async def test_change_in_one_is_seen_in_the_other(
        self, harness: RunHarness, other: Container, client: httpx.AsyncClient
    ) -> None:
        await set_key(client, "sk-canary-of-the-old-key-0001")
        assert await get_key(other) == "sk-canary-of-the-old-key-0001"

        await set_key(client, "sk-canary-of-the-new-key-0002")

        async with asyncio.timeout(TIMEOUT_SECONDS):
            while await get_key(other) != "sk-canary-of-the-new-key-0002":
                await asyncio.sleep(0.01)
