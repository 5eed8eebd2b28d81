"""Open streams end when the rights that they began with are gone: over SSE and over a WebSocket."""

import asyncio
from collections.abc import Awaitable, Callable

import httpx
import pytest
from fastapi import FastAPI

from crewai_runner.features.auth import open_streams
from crewai_runner.features.events.deps import MAX_SILENT_SECONDS
from crewai_runner.wiring.container import Container
from tests.support.asgi import Stream, follow
from tests.support.harness import ON_SQLITE, RunHarness
from tests.support.teams import Team

pytestmark = pytest.mark.harness(stream_ping_seconds=0.05)
ANN = "ann@example.org"


@pytest.fixture
def team(container: Container, app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> Team:
    monkeypatch.setattr(open_streams, "RECHECK_SECONDS", 0.05)
    return Team(container, app)


async def lower_role(team: Team, person_id: str) -> None:
    await team.patch(f"/people/{person_id}", {"role": "viewer"})


async def remove(team: Team, person_id: str) -> None:
    await team.delete(f"/people/{person_id}")


async def sign_out(team: Team, person_id: str) -> None:
    await team.delete(f"/people/{person_id}/sessions")


Change = Callable[[Team, str], Awaitable[None]]


def headers_of(browser: httpx.AsyncClient) -> dict[str, str]:
    cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    return {"Cookie": cookies, "Host": "test", "Origin": "http://test"}


@ON_SQLITE
@pytest.mark.parametrize("path", ["stream", "ws"])
class TestOpenStreams:
    @pytest.mark.parametrize("change", [lower_role, remove, sign_out])
    async def test_end_when_the_rights_of_their_person_change(
        self, team: Team, harness: RunHarness, path: str, change: Change
    ) -> None:
        run_id = await harness.create_running()
        async with team.signed_in(ANN, "editor") as ann:
            person_id = (await ann.get("/me")).json()["personId"]
            async with follow(team.app, f"/api/v1/runs/{run_id}/{path}", headers_of(ann)) as stream:
                await assert_stays_open(stream)

                await change(team, person_id)

                await asyncio.wait_for(stream.ended, 5)

    async def test_end_when_their_key_is_revoked(self, team: Team, harness: RunHarness, path: str) -> None:
        run_id = await harness.create_running()
        headers = {"Authorization": f"Bearer {await team.create_key(role='viewer')}"}
        async with follow(team.app, f"/api/v1/runs/{run_id}/{path}", headers) as stream:
            await assert_stays_open(stream)

            await team.delete(f"/api-keys/{await team.find_key_id()}")

            await asyncio.wait_for(stream.ended, 5)


async def assert_stays_open(stream: Stream) -> None:
    """The stream has sent something and goes on after several checks of its rights."""
    await asyncio.wait_for(stream.began, 5)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(stream.ended), 0.3)


def test_a_lost_right_ends_a_stream_within_15_seconds() -> None:
    # A stream is asked for its rights when it sends something, and a heartbeat is late by a tenth at most.
    assert open_streams.RECHECK_SECONDS + MAX_SILENT_SECONDS * 1.1 <= 15
