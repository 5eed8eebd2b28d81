"""Tests of stored, unsaved and built-in providers, and live lists of models."""

import asyncio
import logging
import socket
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.db.session import unit_of_work
from crewai_runner.features.providers.probe.connection_tester import ConnectionTester
from crewai_runner.wiring.container import Container
from tests.support.catalog import PROVIDER_KEY, CatalogHarness
from tests.support.harness import ON_SQLITE
from tests.support.principals import OWNER
from tests.support.scripted_provider import ScriptedProvider
from tests.support.servers import always, server, silence

pytestmark = [
    ON_SQLITE,
    pytest.mark.harness(seed_models=False, fake_local_model=True, allow_private_hosts=True),
]
TOKEN = "token-of-the-built-in-model"


async def create_provider(client: httpx.AsyncClient, **fields: Any) -> str:
    body = {"name": "P", "type": "openai_compatible", "apiKey": PROVIDER_KEY, **fields}
    response = await client.post("/providers", json=body)
    assert response.status_code == 201, response.text
    return str(response.json()["provider"]["id"])


class TestStoredProvider:
    async def test_uses_the_stored_key(self, client: httpx.AsyncClient) -> None:
        with ScriptedProvider(api_key=PROVIDER_KEY, models=("alpha",)) as scripted:
            provider_id = await create_provider(client, baseUrl=scripted.base_url, models=["alpha"])

            report = (await client.post(f"/providers/{provider_id}/test")).json()
            live = await client.get(f"/providers/{provider_id}/models")

        assert report["ok"] is True
        assert report["stage"] == "done"
        assert isinstance(report["latencyMs"], int)
        assert report["models"] == ["alpha"]
        assert live.json() == {"models": ["alpha"]}

    async def test_missing_registered_models_are_reported(self, client: httpx.AsyncClient) -> None:
        with ScriptedProvider(models=("alpha",)) as scripted:
            provider_id = await create_provider(client, baseUrl=scripted.base_url)
            await client.post("/models", json={"name": "M", "endpoint": "gone", "providerId": provider_id})

            report = (await client.post(f"/providers/{provider_id}/test")).json()
            live = await client.get(f"/providers/{provider_id}/models")

        assert (report["ok"], report["stage"]) == (False, "model")
        assert "`gone`" in report["message"]
        assert live.status_code == 200

    async def test_error_messages_do_not_contain_the_key(
        self, client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        async with server(always(401, f'{{"error": {{"message": "bad key {PROVIDER_KEY}"}}}}')) as port:
            provider_id = await create_provider(client, baseUrl=f"http://127.0.0.1:{port}/v1")

            report = await client.post(f"/providers/{provider_id}/test")
            live = await client.get(f"/providers/{provider_id}/models")

        assert report.json()["stage"] == "auth"
        assert "bad key ••••••" in report.json()["message"]
        assert live.status_code == 502
        assert live.json()["stage"] == "auth"
        assert "bad key ••••••" in live.json()["detail"]
        assert PROVIDER_KEY not in report.text + live.text + caplog.text

    async def test_holds_no_database_connection_while_waiting(
        self, client: httpx.AsyncClient, container: Container
    ) -> None:
        connected = asyncio.Event()

        async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connected.set()
            await silence(reader, writer)

        async with server(hang) as port:
            provider_id = await create_provider(client, baseUrl=f"http://127.0.0.1:{port}/v1")
            tester = ConnectionTester(container.sessions, container.provider_deps(), limit_seconds=60)
            waiting = asyncio.create_task(tester.test_stored(OWNER, provider_id))
            await connected.wait()

            held = container.sessions.kw["bind"].pool.checkedout()
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)

        assert held == 0


class TestUnsavedProvider:
    async def test_is_not_stored(self, client: httpx.AsyncClient) -> None:
        with ScriptedProvider(api_key=PROVIDER_KEY, models=("alpha",)) as scripted:
            body = {"type": "custom", "baseUrl": scripted.base_url, "apiKey": PROVIDER_KEY}

            report = (await client.post("/providers/test", json={"provider": body})).json()

        assert report["ok"] is True
        assert (await client.get("/providers")).json()["providers"] == []

    async def test_connection_failure_is_a_report(self, client: httpx.AsyncClient) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            base_url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"

            response = await client.post("/providers/test", json={"type": "ollama", "baseUrl": base_url})

        assert response.status_code == 200
        assert response.json()["stage"] == "connect"

    @pytest.mark.parametrize("url", ["http://127.0.0.1:1/v1", "http://169.254.169.254/v1"])
    async def test_applies_the_egress_policy(
        self, client: httpx.AsyncClient, container: Container, url: str
    ) -> None:
        container.egress = EgressPolicy(allow_private=False)

        report = (await client.post("/providers/test", json={"type": "ollama", "baseUrl": url})).json()

        assert (report["ok"], report["stage"]) == (False, "dns")

    @pytest.mark.parametrize(
        "body", [{"type": "openai_compatible"}, {"type": "local"}, {"type": "openai", "apiKey": "a b"}]
    )
    async def test_invalid_field_is_named(self, client: httpx.AsyncClient, body: dict[str, Any]) -> None:
        response = await client.post("/providers/test", json=body)

        assert response.status_code == 422
        assert response.json()["errors"]


class TestBuiltInProvider:
    async def ensure_local(self, catalog: CatalogHarness) -> str:
        provider_id: str = await catalog.providers(lambda providers: providers.ensure_local())
        return provider_id

    async def test_uses_the_current_address_despite_the_egress_policy(
        self, client: httpx.AsyncClient, catalog: CatalogHarness, container: Container
    ) -> None:
        container.egress = EgressPolicy(allow_private=False)
        provider_id = await self.ensure_local(catalog)
        with ScriptedProvider(api_key=TOKEN, models=("smollm2-135m",)) as scripted:
            container.local_model.serve(scripted.base_url, TOKEN)

            report = await client.post(f"/providers/{provider_id}/test")

        assert report.json()["ok"] is True
        assert report.json()["models"] == ["smollm2-135m"]
        assert TOKEN not in report.text

    async def test_reports_why_it_is_unavailable(
        self, client: httpx.AsyncClient, catalog: CatalogHarness, container: Container
    ) -> None:
        provider_id = await self.ensure_local(catalog)
        container.local_model.reason = "The built-in model is switched off (LOCAL_MODEL=off)."

        report = (await client.post(f"/providers/{provider_id}/test")).json()

        assert (report["ok"], report["stage"]) == (False, "connect")
        assert "LOCAL_MODEL=off" in report["message"]

    async def test_cannot_be_changed_while_available(
        self, client: httpx.AsyncClient, catalog: CatalogHarness, container: Container
    ) -> None:
        provider_id = await self.ensure_local(catalog)
        container.local_model.serve("http://127.0.0.1:1/v1", TOKEN)
        path = f"/providers/{provider_id}"

        patched = await client.patch(path, json={"name": "mine"})
        rejected = await client.delete(path, params={"force": "true"})
        container.local_model.reason = "gone"
        deleted = await client.delete(path)

        assert (patched.status_code, rejected.status_code, deleted.status_code) == (409, 409, 204)
        assert rejected.json()["type"].endswith("/provider-built-in")


class TestMaskStoredKeys:
    async def test_masks_keys_and_reports_unreadable_ones(
        self, client: httpx.AsyncClient, catalog: CatalogHarness, container: Container
    ) -> None:
        await create_provider(client, baseUrl="http://127.0.0.1:1/v1")
        broken = await create_provider(client, name="Q", baseUrl="http://127.0.0.1:1/v1")
        async with unit_of_work(container.sessions) as session:
            await session.execute(
                text("UPDATE providers SET sealed_api_key = 'x' WHERE id = :id"), {"id": broken}
            )
        container.mask = type(container.mask)()

        unreadable = await catalog.providers(lambda providers: providers.mask_stored_keys())
        test = await client.post(f"/providers/{broken}/test")

        assert unreadable == [broken]
        assert container.mask(PROVIDER_KEY) == "••••••"
        assert test.status_code == 500
        assert test.json()["type"].endswith("/secret-unreadable")
