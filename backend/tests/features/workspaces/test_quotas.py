"""Quotas are set by owners, up to those of the administrator, and shown with their use."""

from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from crewai_runner.wiring.container import Container
from tests.support.harness import ON_SQLITE
from tests.support.teams import Team

pytestmark = pytest.mark.each_database

LIMITS = {
    "runsAtOnce": 3,
    "runsPerDay": 20,
    "spendPerMonth": {"amount": "12.5", "currency": "EUR"},
    "storedMb": 50,
    "keptDays": 30,
    "network": None,
}
NONE: dict[str, Any] = dict.fromkeys(LIMITS)


@pytest.fixture
def team(container: Container, app: FastAPI) -> Team:
    return Team(container, app)


async def limit(team: Team, **limits: Any) -> httpx.Response:
    """Set the administrator's limits of the built-in workspace."""
    return await team.client.put("/workspaces/ws_default/quotas", json=limits)


async def test_owner_sets_and_removes_quotas(team: Team) -> None:
    async with team.signed_in("ann@example.org", "owner") as ann:
        set_ = (await ann.put("/workspace/quotas", json=LIMITS)).json()
        read = (await ann.get("/workspace/quotas")).json()
        removed = (await ann.put("/workspace/quotas", json={"runsAtOnce": None})).json()

    assert set_["limits"] == read["limits"] == read["ownLimits"] == LIMITS
    assert read["use"] == {
        "runsAtOnce": 0,
        "runsToday": 0,
        "spentThisMonth": [{"amount": "0", "currency": "EUR"}],
        "storedMb": 0.0,
    }
    assert read["dayEndsAt"].endswith("T00:00:00Z")
    assert removed["ownLimits"] == NONE


@ON_SQLITE
async def test_owner_stays_below_the_administrator(team: Team) -> None:
    assert (await limit(team, runsAtOnce=2, spendPerMonth={"amount": "5"})).status_code == 200

    above = await team.client.put("/workspace/quotas", json=LIMITS)
    below = await team.client.put("/workspace/quotas", json={"runsAtOnce": 1, "runsPerDay": 9})
    lowered = (await limit(team, runsPerDay=4)).json()

    assert above.status_code == 422
    assert above.json()["type"].endswith("/quota-above-limit")
    assert [error["pointer"] for error in above.json()["errors"]] == ["/runsAtOnce", "/spendPerMonth"]
    assert "at most 5 USD" in above.json()["detail"]
    assert below.json()["limits"] == NONE | {
        "runsAtOnce": 1,
        "runsPerDay": 9,
        "spendPerMonth": {"amount": "5", "currency": "USD"},
        "storedMb": 102_400,
    }
    assert (lowered["limits"]["runsAtOnce"], lowered["limits"]["runsPerDay"]) == (1, 4)
    assert lowered["ownLimits"]["runsPerDay"] == 9


@ON_SQLITE
@pytest.mark.parametrize("role", ["viewer", "operator", "editor", "owner"])
async def test_who_may_see_and_set_them(team: Team, role: str) -> None:
    async with team.signed_in("ann@example.org", role) as ann:
        read = await ann.get("/workspace/quotas")
        set_ = await ann.put("/workspace/quotas", json={"runsAtOnce": 9})
        others = [
            await ann.get("/workspaces/ws_default/quotas"),
            await ann.put("/workspaces/ws_default/quotas", json={}),
        ]

    assert read.status_code == 200
    assert set_.status_code == (200 if role == "owner" else 403)
    assert [answer.status_code for answer in others] == [403, 403]


@ON_SQLITE
async def test_unknown_workspace(team: Team) -> None:
    answer = await team.client.put("/workspaces/ws_unknown/quotas", json={"runsAtOnce": 1})

    assert answer.status_code == 404
    assert answer.json()["type"].endswith("/workspace-not-found")


@ON_SQLITE
@pytest.mark.parametrize(
    "limits",
    [
        {"runsAtOnce": 0},
        {"runsPerDay": -1},
        {"spendPerMonth": {"amount": "0"}},
        {"spendPerMonth": {"amount": "1e400"}},
        {"spendPerMonth": {"amount": "5", "currency": "dollars"}},
        {"storedMb": 0},
        {"keptDays": 10**6},
        {"unknown": 1},
    ],
)
async def test_impossible_limits(team: Team, limits: dict[str, Any]) -> None:
    assert (await team.client.put("/workspace/quotas", json=limits)).status_code == 422
