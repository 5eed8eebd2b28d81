"""A run elsewhere whose machine dies sends nothing more: it is ended, and its next span continues it."""

from datetime import timedelta
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import httpx
import pytest

from crewai_runner.core.clock import now
from crewai_runner.features.crewai_plus.rules import SILENCE
from crewai_runner.wiring.container import Container
from tests.features.crewai_plus.executions_elsewhere import (
    BASE,
    TASK,
    create_grant,
    dump,
    make_crew,
    only_run,
    send,
)
from tests.support.harness import RunHarness
from tests.support.server_process import TWO_TASKS


async def be_silent(harness: RunHarness, run_id: str, minutes: float) -> None:
    async with harness.transaction(run_id) as (run, _):
        run.attempt_started_at = now() - timedelta(minutes=minutes)


async def start_crew(client: httpx.AsyncClient) -> tuple[str, str, list[Any]]:
    """Send the model call of a crew; return the run, its token, and the spans of the whole crew."""
    granted, spans = await create_grant(client), make_crew()
    await send(client, granted["token"], dump(spans[:1]))
    return (await only_run(client))["id"], granted["token"], spans


class TestSilence:
    async def test_run_is_ended_after_the_time_of_the_setting(
        self, plus: httpx.AsyncClient, harness: RunHarness, container: Container
    ) -> None:
        run_id, _, _ = await start_crew(plus)
        silent_runs = container.silent_runs()

        await be_silent(harness, run_id, 29)
        assert await silent_runs.end_all() == 0
        await be_silent(harness, run_id, 31)
        assert await silent_runs.end_all() == 1
        assert await silent_runs.end_all() == 0

        run = await only_run(plus)
        assert (run["status"], run["error"]["code"]) == ("failed", SILENCE)
        assert "No spans arrived for 30 minutes" in run["error"]["message"]
        assert (await harness.event_types(run_id))[-2:] == ["task.failed", "run.failed"]
        [task] = (await plus.get(f"/runs/{run_id}/tasks")).json()["tasks"]
        assert task["status"] == "failed"

    async def test_spans_put_the_end_off(
        self, plus: httpx.AsyncClient, harness: RunHarness, container: Container
    ) -> None:
        run_id, token, spans = await start_crew(plus)
        await be_silent(harness, run_id, 31)

        await send(plus, token, dump(spans[:1]))  # known already, but a sign of life

        assert await container.silent_runs().end_all() == 0

    async def test_runs_of_workers_are_left_alone(self, harness: RunHarness, container: Container) -> None:
        run_id = await harness.create_running()
        await be_silent(harness, run_id, 10_000)

        assert await container.silent_runs().end_all() == 0


class TestLateSpans:
    async def test_continue_the_run_to_its_end(
        self, plus: httpx.AsyncClient, harness: RunHarness, container: Container
    ) -> None:
        run_id, token, spans = await start_crew(plus)
        await be_silent(harness, run_id, 31)
        await container.silent_runs().end_all()

        response = await send(plus, token, dump(spans[1:2]))

        assert response.status_code == HTTPStatus.OK, response.text
        run = await only_run(plus)
        assert (run["status"], run["error"], run["finishedAt"], run["attempt"]) == ("running", None, None, 2)
        assert "run.resumed" in await harness.event_types(run_id)
        assert await harness.count_queued() == 0

        await send(plus, token, dump(spans[2:]))

        run = await only_run(plus)
        assert (run["status"], run["result"]["raw"]) == ("completed", "Facts.")
        assert (run["usage"]["llmCalls"], run["usage"]["toolCalls"]) == (1, 1)
        [task] = (await plus.get(f"/runs/{run_id}/tasks")).json()["tasks"]
        assert (task["key"], task["status"], task["error"]) == (TASK, "completed", None)

    async def test_task_that_was_ended_starts_again(
        self, plus: httpx.AsyncClient, harness: RunHarness, container: Container
    ) -> None:
        run_id, token, spans = await start_crew(plus)
        await be_silent(harness, run_id, 31)
        await container.silent_runs().end_all()
        spans[1].attributes.add(key="crewai.task.id").value.string_value = "e52a8429-e7c0"

        await send(plus, token, dump(spans[1:2]))

        [task] = (await plus.get(f"/runs/{run_id}/tasks")).json()["tasks"]
        assert (task["status"], task["error"], task["finishedAt"]) == ("running", None, None)
        assert (await harness.event_types(run_id)).count("task.started") == 2

    async def test_do_not_continue_a_run_that_has_failed_itself(
        self, plus: httpx.AsyncClient, harness: RunHarness
    ) -> None:
        granted, spans = await create_grant(plus), make_crew(error="The model was offline.")
        await send(plus, granted["token"], dump(spans[1:]))

        await send(plus, granted["token"], dump(spans[:1]))

        run = await only_run(plus)
        assert (run["status"], run["error"]["message"]) == ("failed", "The model was offline.")
        assert "run.resumed" not in await harness.event_types(run["id"])


class TestLimits:
    @pytest.mark.harness(workspace_max_active_runs=2)
    async def test_runs_elsewhere_leave_room_for_runs_here(
        self, plus: httpx.AsyncClient, harness: RunHarness
    ) -> None:
        url = f"{BASE}/tracing/grants"

        granted = [await plus.post(url, json={"execution_uuid": str(uuid4())}) for _ in range(3)]
        await harness.create_running()
        started = [await plus.post("/runs", json={"workflow": TWO_TASKS}) for _ in range(2)]

        assert [response.status_code for response in granted] == [200, 200, 429]
        assert "elsewhere" in granted[2].json()["detail"]
        assert [response.status_code for response in started] == [202, 429]
        assert started[1].json()["currentValue"] == 2
