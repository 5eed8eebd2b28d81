"""What anonymous callers learn from the readiness check."""

import httpx
import pytest

from tests.support.harness import ON_SQLITE, RunHarness

pytestmark = ON_SQLITE


class TestGetReadiness:
    @pytest.mark.parametrize("authorization", [None, "Bearer wrong"])
    async def test_anonymous_callers_get_states_without_messages(
        self, harness: RunHarness, client: httpx.AsyncClient, authorization: str | None
    ) -> None:
        harness.container.queue.fail("connection to db.internal.example failed")
        client.headers.pop("Authorization", None)
        headers = {"Authorization": authorization} if authorization else {}

        response = await client.get("http://test/health/ready", headers=headers)

        assert response.status_code == 503
        assert response.json()["parts"]["queue"] == {"ok": False, "message": None}
        assert {part["message"] for part in response.json()["parts"].values()} == {None}

    async def test_callers_with_a_key_get_the_messages(
        self, harness: RunHarness, client: httpx.AsyncClient
    ) -> None:
        harness.container.queue.fail("connection to db.internal.example failed")

        response = await client.get("http://test/health/ready")

        assert response.json()["parts"]["queue"]["message"] == "connection to db.internal.example failed"
