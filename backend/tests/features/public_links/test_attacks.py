"""What someone without an account may try with public links, and what stops it."""

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select, update

from crewai_runner.core.clock import now
from crewai_runner.db.tables.public_links import PublicLinkRow
from crewai_runner.domain.run import RunResult, TaskResult
from crewai_runner.executor.port import Completed
from crewai_runner.executor.scripted import Script, ScriptedExecutor
from crewai_runner.features.public_links.deps import SHARED_RUN_RATE
from crewai_runner.features.runs.service import NewRun
from tests.support.builders import call, completed, definition, started
from tests.support.harness import ON_SQLITE, RunHarness
from tests.support.principals import STRANGER
from tests.support.teams import Team

pytestmark = ON_SQLITE
INPUT, PROMPT = "the-confidential-input", "Do research"
SAME_ID = {"X-Request-Id": "same"}


@pytest.fixture
async def team(harness: RunHarness, app: FastAPI) -> Team:
    team = Team(harness.container, app)
    await team.patch("/workspace", {"allowsPublicLinks": True})
    return team


@pytest.fixture
async def run_id(harness: RunHarness) -> str:
    """A completed run."""
    events = [started("research"), call(), completed("research", "The facts.")]
    result = RunResult(raw="The report.", tasks={"research": TaskResult(raw="The facts.")})
    harness.executor = ScriptedExecutor(Script(events, Completed(result)))
    run_id = await harness.create(NewRun(definition(), {"topic": INPUT}))
    await harness.execute(run_id, 1)
    return run_id


async def share(team: Team, run_id: str, **choices: Any) -> str:
    """Create a link; returns its token."""
    created = await team.post(f"/runs/{run_id}/public-links", choices)
    assert created.status_code == 201, created.text
    path: str = created.json()["path"]
    page, _, token = path.partition("#")
    assert page == "/shared"
    return token


async def read(team: Team, token: str) -> httpx.Response:
    """Open a link as someone without an account."""
    async with team.browser() as stranger:
        return await stranger.post("/shared-run", json={"token": token}, headers=SAME_ID)


class TestGuessing:
    async def test_tokens_have_256_bits_and_are_stored_as_hashes(
        self, harness: RunHarness, team: Team, run_id: str
    ) -> None:
        tokens = [await share(team, run_id) for _ in range(3)]

        async with harness.session() as session:
            rows = list(await session.scalars(select(PublicLinkRow)))
        assert len(set(tokens)) == 3
        assert min(len(token) for token in tokens) >= 43
        stored = repr([vars(row) for row in rows])
        assert not [token for token in tokens if token in stored]
        assert not [
            token for token in tokens if token in (await team.get(f"/runs/{run_id}/public-links")).text
        ]

    async def test_every_dead_link_gets_the_same_answer(
        self, harness: RunHarness, team: Team, run_id: str
    ) -> None:
        unknown = await read(team, "x" * 43)
        tokens = {name: await share(team, run_id) for name in ("expired", "revoked", "cut", "off", "deleted")}
        ids = [link["id"] for link in (await team.get(f"/runs/{run_id}/public-links")).json()["publicLinks"]]
        by_age = sorted(ids)
        async with harness.session() as session:
            past = update(PublicLinkRow).where(PublicLinkRow.id == by_age[0])
            await session.execute(past.values(expires_at=now() - timedelta(seconds=1)))
        await team.delete(f"/runs/{run_id}/public-links/{by_age[1]}")

        answers = {
            "expired": await read(team, tokens["expired"]),
            "revoked": await read(team, tokens["revoked"]),
            "cut": await read(team, tokens["cut"][:-1]),
            "longer": await read(team, tokens["cut"] + "A"),
        }
        await team.patch("/workspace", {"allowsPublicLinks": False})
        answers["off"] = await read(team, tokens["off"])
        await team.patch("/workspace", {"allowsPublicLinks": True})
        assert (await read(team, tokens["off"])).status_code == 200
        await team.delete(f"/runs/{run_id}")
        answers["deleted"] = await read(team, tokens["deleted"])

        assert unknown.status_code == 404
        for name, answer in answers.items():
            assert (answer.status_code, answer.content) == (404, unknown.content), name
            assert dict(answer.headers) == dict(unknown.headers), name

    async def test_guesses_are_limited_by_address(self, team: Team, run_id: str) -> None:
        answers = [await read(team, f"{number:043}") for number in range(2 * SHARED_RUN_RATE.burst)]

        statuses = [answer.status_code for answer in answers]
        assert statuses[: SHARED_RUN_RATE.burst] == [404] * SHARED_RUN_RATE.burst
        assert 429 in statuses
        assert int(answers[statuses.index(429)].headers["Retry-After"]) > 0
        assert (await team.get(f"/runs/{run_id}")).status_code == 200  # others have buckets of their own

    async def test_no_credential_is_needed_or_used(self, team: Team, run_id: str) -> None:
        token = await share(team, run_id)

        with_key = await team.post("/shared-run", {"token": token})
        with_wrong_key = await team.post("/shared-run", {"token": token}, token="wrong")

        assert with_key.json() == with_wrong_key.json() == (await read(team, token)).json()
        assert "set-cookie" not in with_key.headers

    @pytest.mark.parametrize(
        "token", ["", "x", "\x00" * 43, "\ud800" * 43, "ä" * 43, "x" * 10_000, None, {"$ne": ""}, 7]
    )
    async def test_malformed_tokens(self, team: Team, token: Any) -> None:
        async with team.browser() as stranger:
            body, kind = json.dumps({"token": token}), {"Content-Type": "application/json"}
            answer = await stranger.post("/shared-run", content=body, headers=kind)

        assert answer.status_code in (404, 422)


class TestWhatIsShown:
    async def test_inputs_and_prompts_only_if_chosen(self, team: Team, run_id: str) -> None:
        plain = (await read(team, await share(team, run_id))).text
        with_inputs = (await read(team, await share(team, run_id, showsInputs=True))).text
        with_prompts = (await read(team, await share(team, run_id, showsPrompts=True))).text

        assert "The report." in plain
        assert "The facts." in plain
        assert [INPUT in text for text in (plain, with_inputs, with_prompts)] == [False, True, False]
        assert [PROMPT in text for text in (plain, with_inputs, with_prompts)] == [False, False, True]

    async def test_nothing_names_the_workspace_its_people_or_its_costs(self, team: Team, run_id: str) -> None:
        shared = await read(team, await share(team, run_id, showsInputs=True, showsPrompts=True))

        for secret in (run_id, "ws_default", "api-key", "createdBy", "usage", "cost", "metadata"):
            assert secret not in shared.text
        assert set(shared.json()) == {
            "workflowName",
            "status",
            "createdAt",
            "startedAt",
            "finishedAt",
            "activeSeconds",
            "errorCode",
            "result",
            "tasks",
            "inputs",
            "expiresAt",
        }

    async def test_answer_is_neither_indexed_nor_cached(self, team: Team, run_id: str) -> None:
        shared = await read(team, await share(team, run_id))

        assert shared.headers["X-Robots-Tag"] == "noindex, nofollow"
        assert shared.headers["Cache-Control"] == "no-store"
        assert shared.headers["Referrer-Policy"] == "no-referrer"

    async def test_link_reads_one_run_and_nothing_else(self, team: Team, run_id: str) -> None:
        token = await share(team, run_id)

        async with team.browser(token) as stranger:
            answers = [
                await stranger.get(path)
                for path in (f"/runs/{run_id}", f"/runs/{run_id}/events", "/runs", "/me", "/approvals")
            ]

        assert [answer.status_code for answer in answers] == [401] * 5


class TestWhoShares:
    async def test_off_by_default(self, harness: RunHarness, app: FastAPI, run_id: str) -> None:
        team = Team(harness.container, app)

        refused = await team.post(f"/runs/{run_id}/public-links", {})

        assert (await team.get("/workspace")).json()["workspace"]["allowsPublicLinks"] is False
        assert refused.status_code == 403
        assert refused.json()["type"].endswith("/public-links-off")

    @pytest.mark.parametrize(
        ("role", "allows", "shares", "lists"),
        [("viewer", 403, 403, 200), ("operator", 403, 201, 200), ("owner", 200, 201, 200)],
    )
    async def test_roles(
        self, team: Team, run_id: str, role: str, allows: int, shares: int, lists: int
    ) -> None:
        async with team.signed_in("ann@example.org", role) as ann:
            answers = [
                await ann.patch("/workspace", json={"allowsPublicLinks": True}),
                await ann.post(f"/runs/{run_id}/public-links", json={}),
                await ann.get(f"/runs/{run_id}/public-links"),
            ]

        assert [answer.status_code for answer in answers] == [allows, shares, lists]

    async def test_runs_of_other_workspaces(self, harness: RunHarness, team: Team, run_id: str) -> None:
        foreign = await harness.create(principal=STRANGER)
        await share(team, run_id)
        [link] = (await team.get(f"/runs/{run_id}/public-links")).json()["publicLinks"]

        answers = [
            await team.post(f"/runs/{foreign}/public-links", {}),
            await team.get(f"/runs/{foreign}/public-links"),
            await team.delete(f"/runs/{foreign}/public-links/{link['id']}"),
            await team.delete(f"/runs/{run_id}/public-links/plink_{'0' * 32}"),
        ]

        assert [answer.status_code for answer in answers] == [404] * 4

    async def test_number_of_links_is_limited(self, team: Team, run_id: str) -> None:
        answers = [await team.post(f"/runs/{run_id}/public-links", {}) for _ in range(21)]

        assert [answer.status_code for answer in answers] == [201] * 20 + [409]

    @pytest.mark.parametrize("days", [0, -1, 366, 10**9])
    async def test_every_link_expires(self, team: Team, run_id: str, days: int) -> None:
        refused = await team.post(f"/runs/{run_id}/public-links", {"days": days})

        assert refused.status_code == 422
