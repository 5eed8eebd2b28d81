"""The executor contract for crew hosts, against a scripted provider."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from crewai_runner.domain.run import RunFailure
from crewai_runner.executor.attempt_loss import AttemptLost, LossReason
from crewai_runner.executor.hosts import pool as pool_module
from crewai_runner.executor.hosts.crew_host import CrewHost, HostState
from crewai_runner.executor.hosts.executor import HostedExecutor
from crewai_runner.executor.hosts.host_config import HostConfig
from crewai_runner.executor.hosts.pool import HostPool
from crewai_runner.executor.port import (
    Completed,
    EngineState,
    Failed,
    ReplacingText,
    RunControl,
    RunSpec,
    Stopped,
)
from crewai_runner.features.metrics.instruments import Instruments
from crewai_runner.features.metrics.upkeep import UpkeepMetrics
from tests.executor_contract.contract import AdapterHarness, ExecutorContract, RunningAttempt
from tests.executor_contract.test_crew import CrewHarness
from tests.support.metrics_page import MetricsPage
from tests.support.scripted_provider import Hang, Say, ScriptedProvider

REASONS = ("died", "frozen", "memory")
pytestmark = [pytest.mark.crew, pytest.mark.asyncio(loop_scope="module")]


@pytest.fixture(scope="module")
def instruments() -> Instruments:
    return Instruments()


@pytest.fixture
def count_hosts(instruments: Instruments) -> Callable[[str, str], float]:
    """Count the hosts that were ``lost`` or ``retired`` for this reason during the test."""

    def read(event: str, reason: str) -> float:
        return MetricsPage(instruments.text().decode())(f"crew_hosts_{event}_total", reason=reason)

    before = {(event, reason): read(event, reason) for event in ("lost", "retired") for reason in REASONS}
    return lambda event, reason: read(event, reason) - before[event, reason]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hosts(
    tmp_path_factory: pytest.TempPathFactory, instruments: Instruments
) -> AsyncIterator[HostedExecutor]:
    config, observer = HostConfig(tmp_path_factory.mktemp("engine")), UpkeepMetrics(instruments)
    executor = HostedExecutor(config, 2, observer=observer)
    await executor.load()
    assert executor.status().state is EngineState.READY, executor.status().message
    yield executor
    await executor.close()


@pytest.fixture
def harness(hosts: HostedExecutor, provider: ScriptedProvider) -> CrewHarness:
    return CrewHarness(hosts, provider)


@pytest.fixture
def hosted(hosts: HostedExecutor) -> HostPool:
    assert hosts.pool is not None
    return hosts.pool


class TestHostedExecutor(ExecutorContract):
    @pytest.fixture
    def harness(self, hosts: HostedExecutor, provider: ScriptedProvider) -> AdapterHarness:
        return CrewHarness(hosts, provider)


async def start_hanging(harness: CrewHarness, provider: ScriptedProvider, spec: RunSpec) -> RunningAttempt:
    """Start an attempt and wait until its first model call hangs."""
    provider.on(Hang(60), times=1)
    count = len(provider.requests)
    attempt = RunningAttempt(harness.executor, spec)
    await asyncio.to_thread(provider.wait_for_requests, count + 1)
    return attempt


def busy_host(pool: HostPool) -> CrewHost:
    (host,) = [host for host in pool.hosts if host.load]
    return host


async def lost(attempt: RunningAttempt) -> AttemptLost:
    with pytest.raises(AttemptLost) as raised:
        await attempt.outcome()
    return raised.value


class TestConnections:
    async def test_reach_the_worker_before_the_events_that_follow(self, harness: CrewHarness) -> None:
        seen: list[str] = []
        control = RunControl(on_connection=lambda made: seen.append(f"{made.purpose} {made.task_key}"))

        outcome = await harness.executor.execute(
            harness.spec(), lambda event: seen.append(event.type), control
        )

        assert isinstance(outcome, Completed)
        for key, end in (("research", 1), ("report", 2)):
            completed = [at for at, one in enumerate(seen) if one == "task.completed"][end - 1]
            assert seen.index(f"model {key}") < completed


class TestLostHost:
    async def test_kill_loses_its_attempts_only(
        self,
        harness: CrewHarness,
        hosted: HostPool,
        provider: ScriptedProvider,
        count_hosts: Callable[[str, str], float],
    ) -> None:
        first = await start_hanging(harness, provider, harness.spec())
        killed = busy_host(hosted)
        second = RunningAttempt(harness.executor, harness.spec())
        assert killed.pid is not None

        os.kill(killed.pid, signal.SIGKILL)

        error = await lost(first)
        assert (error.reason, error.last_event) == (LossReason.DIED, "llm.started")
        assert count_hosts("lost", "died") == 1
        assert isinstance(await second.outcome(), Completed)

    async def test_another_host_takes_its_place(
        self, harness: CrewHarness, hosted: HostPool, provider: ScriptedProvider
    ) -> None:
        attempt = await start_hanging(harness, provider, harness.spec())
        killed = busy_host(hosted)
        killed.kill(LossReason.DIED)
        await lost(attempt)

        while sum(host.state is HostState.READY for host in hosted.hosts) < 2:
            await asyncio.sleep(0.05)

        assert killed not in hosted.hosts

    async def test_spent_workspace_is_known_in_the_host(
        self, harness: CrewHarness, provider: ScriptedProvider
    ) -> None:
        refusal = RunFailure(code="spent", message="The month's money is spent.")
        attempt = RunningAttempt(harness.executor, harness.spec())

        attempt.control.limit_spending(refusal)

        assert await attempt.outcome() == Failed(refusal)
        assert provider.requests == []

    async def test_host_that_does_not_answer_is_killed(
        self,
        harness: CrewHarness,
        hosted: HostPool,
        provider: ScriptedProvider,
        monkeypatch: pytest.MonkeyPatch,
        count_hosts: Callable[[str, str], float],
    ) -> None:
        monkeypatch.setattr(pool_module, "CHECK_SECONDS", 0.2)
        attempt = await start_hanging(harness, provider, harness.spec())
        frozen = busy_host(hosted)
        assert frozen.pid is not None

        os.kill(frozen.pid, signal.SIGSTOP)

        assert (await lost(attempt)).reason is LossReason.FROZEN
        assert count_hosts("lost", "frozen") == 1

    async def test_host_above_its_memory_limit_is_replaced(
        self,
        harness: CrewHarness,
        hosted: HostPool,
        provider: ScriptedProvider,
        count_hosts: Callable[[str, str], float],
    ) -> None:
        attempt = await start_hanging(harness, provider, harness.spec())
        large = busy_host(hosted)

        hosted.judge(large, memory_mb=hosted.limits.memory_mb + 1)
        later = [RunningAttempt(harness.executor, harness.spec()) for _ in range(4)]
        for one in later:
            assert isinstance(await one.outcome(), Completed)

        assert large.state is HostState.RETIRING
        assert large.load == 1
        attempt.control.stop()
        assert isinstance(await attempt.outcome(), Stopped)
        while large in hosted.hosts:
            await asyncio.sleep(0.05)
        assert (count_hosts("retired", "memory"), count_hosts("lost", "died")) == (1, 0)

    async def test_attempt_alone_has_a_separate_host(
        self, harness: CrewHarness, hosted: HostPool, provider: ScriptedProvider
    ) -> None:
        shared = set(hosted.hosts)
        attempt = await start_hanging(harness, provider, harness.spec(alone=True))
        own = busy_host(hosted)

        assert own not in shared
        attempt.control.stop()
        await attempt.outcome()
        assert own not in hosted.hosts


class TestEnvironment:
    async def test_has_no_settings(
        self, harness: CrewHarness, hosted: HostPool, provider: ScriptedProvider
    ) -> None:
        """What a crew could read: the environment of the process, as it is now."""
        attempt = await start_hanging(harness, provider, harness.spec())
        pid = busy_host(hosted).pid
        attempt.control.stop()
        await attempt.outcome()

        assert b"sk-canary" not in Path(f"/proc/{pid}/environ").read_bytes()
        assert b"sk-canary" not in Path(f"/proc/{pid}/cmdline").read_bytes()


class TestCall:
    async def test_pieces_and_replacing_pieces_arrive(
        self, harness: CrewHarness, hosts: HostedExecutor, provider: ScriptedProvider
    ) -> None:
        provider.on(Say("ignored", chunks=["secret plan", "</think>", "Hello."]))
        pieces: list[str] = []

        async def on_text(text: str) -> None:
            pieces.append(text)

        model = next(iter(harness.spec().models.values()))
        completion = await hosts.complete(model, [{"role": "user", "content": "Hi"}], on_text)

        assert completion.text == "Hello."
        replacing = [piece for piece in pieces if isinstance(piece, ReplacingText)]
        assert "secret plan" not in replacing[-1]
