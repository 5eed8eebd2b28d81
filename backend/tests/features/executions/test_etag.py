"""The ETag of a run changes with everything that the response shows."""

import httpx

from crewai_runner.features.runs.service import NewRun
from tests.support.builders import FAILURE, completed, definition
from tests.support.harness import ON_SQLITE, RunHarness

pytestmark = ON_SQLITE


class TestRunETag:
    async def test_is_as_distinct_as_the_response(
        self, harness: RunHarness, client: httpx.AsyncClient
    ) -> None:
        run_id = await harness.create(NewRun(definition(), {"topic": "tea"}))
        seen: list[tuple[str, str]] = []

        async def look() -> None:
            for _ in range(2):
                response = await client.get(f"/runs/{run_id}")
                seen.append((response.text, response.headers["ETag"]))

        await look()
        async with harness.transaction(run_id) as (run, lifecycle):
            await lifecycle.begin(run, "scripted 1", native=True)
        await look()
        harness.container.event_writer.open_sink(run_id, 1, lambda: None)(completed("research", "Known."))
        await harness.container.event_writer.flush()
        await look()
        async with harness.transaction(run_id) as (run, lifecycle):
            run.prompt_tokens = 7
        await look()
        async with harness.transaction(run_id) as (run, lifecycle):
            await lifecycle.fail(run, FAILURE)
        await look()

        assert len({text for text, _ in seen}) == len({etag for _, etag in seen}) == len(set(seen)) == 5
