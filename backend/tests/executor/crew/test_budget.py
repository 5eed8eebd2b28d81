from decimal import Decimal

import pytest

from crewai_runner.domain.budget import Budget, BudgetLimit
from crewai_runner.domain.usage import Usage
from crewai_runner.executor.crew.context.budget import BudgetTracker
from crewai_runner.executor.crew.llm.model_rate_limiter import ModelRateLimiter
from crewai_runner.executor.port import Completed, Failed, OutOfBudget
from tests.executor.crew.harness import EngineHarness, parallel_workflow, sequential_workflow, workflow
from tests.support.scripted_provider import Hang, Say
from tests.support.scripted_provider import Usage as Tokens

pytestmark = pytest.mark.crew


class TestBudget:
    async def test_call_beyond_the_limit_is_not_made(self, harness: EngineHarness) -> None:
        recorder = await harness.run(sequential_workflow(), budget=Budget(max_llm_calls=1))

        assert isinstance(recorder.outcome, OutOfBudget)
        assert recorder.outcome.limit is BudgetLimit.LLM_CALLS
        assert recorder.outcome.usage.llm_calls == 1
        assert len(harness.provider.requests) == 1
        assert "task.skipped" not in recorder.types

    async def test_usage_of_earlier_attempts_counts(self, harness: EngineHarness) -> None:
        prior_usage = Usage(llm_calls=4, prompt_tokens=10, total_tokens=10)

        recorder = await harness.run(
            sequential_workflow(), budget=Budget(max_llm_calls=5), prior_usage=prior_usage
        )

        assert isinstance(recorder.outcome, OutOfBudget)
        assert recorder.outcome.usage.llm_calls == 5
        assert [event.data.call for event in recorder.all("llm.started")] == [5]

    async def test_token_and_cost_limits(self, harness: EngineHarness) -> None:
        harness.provider.on(Say("text", usage=Tokens(1_000_000, 500_000)))

        tokens = await harness.run(sequential_workflow(), budget=Budget(max_tokens=1_500_000))
        cost = await harness.run(sequential_workflow(), budget=Budget(max_cost=Decimal(2)))

        assert isinstance(tokens.outcome, OutOfBudget)
        assert tokens.outcome.limit is BudgetLimit.TOKENS
        assert isinstance(cost.outcome, OutOfBudget)
        assert cost.outcome.limit is BudgetLimit.COST
        assert cost.outcome.usage.cost is not None
        assert cost.outcome.usage.cost.amount == 2

    async def test_unreported_usage_does_not_disable_the_limit(self, harness: EngineHarness) -> None:
        harness.provider.then(Say("a", report_usage=False), Say("b", usage=Tokens(100, 100)))
        tasks = [
            *sequential_workflow().tasks,
            sequential_workflow().tasks[0].model_copy(update={"key": "again"}),
        ]

        recorder = await harness.run(
            workflow(sequential_workflow().agents, tasks), budget=Budget(max_tokens=200)
        )

        assert isinstance(recorder.outcome, OutOfBudget)
        assert len(harness.provider.requests) == 2

    async def test_parallel_tasks_do_not_exceed_the_call_limit(self, harness: EngineHarness) -> None:
        recorder = await harness.run(parallel_workflow(), budget=Budget(max_llm_calls=1))

        assert isinstance(recorder.outcome, OutOfBudget)
        assert len(harness.provider.requests) == 1
        assert len(recorder.all("task.completed")) == 1

    async def test_hanging_call_ends_with_the_budget_seconds(self, harness: EngineHarness) -> None:
        harness.provider.on(Hang())

        recorder = await harness.run(budget=Budget(max_seconds=0.3))

        assert isinstance(recorder.outcome, OutOfBudget)
        assert recorder.outcome.limit is BudgetLimit.SECONDS
        assert recorder.outcome.seconds >= 0.3
        await harness.wait_for_disconnects(1)

    async def test_warns_once_per_limit_at_80_percent(self, harness: EngineHarness) -> None:
        harness.provider.on(Say("text", usage=Tokens(45, 0)))

        recorder = await harness.run(sequential_workflow(), budget=Budget(max_tokens=100, max_llm_calls=10))

        assert isinstance(recorder.outcome, Completed)
        warned = recorder.one("budget.warned")
        assert warned.data.limit is BudgetLimit.TOKENS
        assert warned.data.usage.total_tokens == 90


class TestTimeout:
    async def test_ends_a_hanging_call(self, harness: EngineHarness) -> None:
        harness.provider.on(Hang())

        recorder = await harness.run(timeout_seconds=0.3)

        assert isinstance(recorder.outcome, Failed)
        assert recorder.outcome.failure.code == "run-timeout"
        await harness.wait_for_disconnects(1)

    async def test_counts_earlier_attempts_since_the_last_resume(self, harness: EngineHarness) -> None:
        exceeded = await harness.run(timeout_seconds=60, timeout_seconds_used=60, budget_seconds_used=60)
        resumed = await harness.run(timeout_seconds=60, timeout_seconds_used=0, budget_seconds_used=60)

        assert isinstance(exceeded.outcome, Failed)
        assert isinstance(resumed.outcome, Completed)


class TestBudgetTracker:
    def test_does_not_repeat_warnings_of_earlier_attempts(self) -> None:
        budget = BudgetTracker(Budget(max_llm_calls=10), Usage(llm_calls=8), 0)

        budget.reserve_call()

        assert budget.take_new_warnings() == []


class TestRateLimiter:
    def test_delays_calls_beyond_the_limit(self) -> None:
        now = [100.0]
        limiter = ModelRateLimiter(2, clock=lambda: now[0])

        delays = [limiter.reserve(), limiter.reserve(), limiter.reserve(), limiter.reserve()]
        now[0] = 170.0

        assert delays == [0, 0, 60, 60]
        assert limiter.reserve() == 50
