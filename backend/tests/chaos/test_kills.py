"""Runs survive the kill of every process of a scaled deployment, the database included."""

from pathlib import Path

import pytest

from tests.chaos.deployment import DATABASE, LocalDeployment
from tests.chaos.scenario import ChaosScenario, Kill
from tests.support.scripted_provider import ScriptedProvider

pytestmark = [pytest.mark.process, pytest.mark.crew, pytest.mark.timeout(600)]

KILLS = (
    Kill(4, "worker-1", 1),
    Kill(12, "api-1", 1),
    Kill(18, DATABASE, 2),
    Kill(28, "worker-2", 1),
    Kill(36, "api-2", 1),
)


class TestKills:
    async def test_no_event_is_lost_and_no_finished_task_is_repeated(self, tmp_path: Path) -> None:
        with (
            ScriptedProvider(delay=3.0) as provider,
            LocalDeployment(tmp_path, LEASE_SECONDS="5", ALLOW_PRIVATE_HOSTS="true") as deployment,
        ):
            scenario = ChaosScenario(deployment, provider, provider.base_url, KILLS)
            try:
                await scenario.run()
            except BaseException:
                for member in ("api-1", "api-2", "worker-1", "worker-2"):
                    print(f"--- {member}\n{deployment.log_without_requests(member)[-8000:]}")
                raise
            print(f"\n{scenario.report()}")
