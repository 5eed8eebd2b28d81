"""Every process of a scaled deployment dies in turn, the database too, and nothing is lost."""

from pathlib import Path

import pytest

from tests.storm.fleet import DATABASE, LoopbackFleet
from tests.storm.storm import Blow, Storm
from tests.support.scripted_provider import ScriptedProvider

pytestmark = [pytest.mark.process, pytest.mark.crew, pytest.mark.timeout(600)]

BLOWS = (
    Blow(4, "worker-1", 1),
    Blow(12, "api-1", 1),
    Blow(18, DATABASE, 2),
    Blow(28, "worker-2", 1),
    Blow(36, "api-2", 1),
)


async def test_a_storm_loses_nothing_and_pays_nothing_twice(tmp_path: Path) -> None:
    with (
        ScriptedProvider(delay=3.0) as provider,
        LoopbackFleet(tmp_path, LEASE_SECONDS="5", ALLOW_PRIVATE_URLS="true") as fleet,
    ):
        storm = Storm(fleet, provider, provider.base_url, BLOWS)
        try:
            await storm.run()
        except BaseException:
            for member in ("api-1", "api-2", "worker-1", "worker-2"):
                print(f"--- {member}\n{fleet.log(member)[-4000:]}")
            raise
        print(f"\n{storm.report()}")
