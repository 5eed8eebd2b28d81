from decimal import Decimal

import pytest

from crewai_runner.domain.budget import Budget, BudgetLimit
from crewai_runner.domain.usage import Usage
from crewai_runner.executor.crew.context.budget import BudgetTracker
from crewai_runner.executor.crew.llm.rate_limiter import RateLimiter
from crewai_runner.executor.port import Completed, Failed, OutOfBudget
from tests.executor.crew.kit import Stage, chain, crowd, workflow
from tests.support.scripted_provider import Hang, Say
from tests.support.scripted_provider import Usage as Tokens

pytestmark = pytest.mark.crew


async def test_the_call_beyond_the_budget_is_not_made(stage: Stage) -> None:
    heard = await stage.play(chain(), budget=Budget(max_llm_calls=1))

    assert isinstance(heard.outcome, OutOfBudget)
    assert heard.outcome.limit is BudgetLimit.LLM_CALLS
    assert heard.outcome.usage.llm_calls == 1
    assert len(stage.provider.requests) == 1
    assert "task.skipped" not in heard.types


async def test_what_earlier_attempts_spent_counts(stage: Stage) -> None:
    spent = Usage(llm_calls=4, prompt_tokens=10, total_tokens=10)

    heard = await stage.play(chain(), budget=Budget(max_llm_calls=5), prior_usage=spent)

    assert isinstance(heard.outcome, OutOfBudget)
    assert heard.outcome.usage.llm_calls == 5
    assert [event.data.call for event in heard.of("llm.started")] == [5]


async def test_tokens_and_money_are_held_to_their_limits(stage: Stage) -> None:
    stage.provider.on(Say("text", usage=Tokens(1_000_000, 500_000)))

    tokens = await stage.play(chain(), budget=Budget(max_tokens=1_500_000))
    money = await stage.play(chain(), budget=Budget(max_cost=Decimal(2)))

    assert isinstance(tokens.outcome, OutOfBudget)
    assert tokens.outcome.limit is BudgetLimit.TOKENS
    assert isinstance(money.outcome, OutOfBudget)
    assert money.outcome.limit is BudgetLimit.COST
    assert money.outcome.usage.cost is not None
    assert money.outcome.usage.cost.amount == 2


async def test_a_silent_provider_does_not_lift_the_limit(stage: Stage) -> None:
    stage.provider.then(Say("a", report_usage=False), Say("b", usage=Tokens(100, 100)))
    tasks = [*chain().tasks, chain().tasks[0].model_copy(update={"key": "again"})]

    heard = await stage.play(workflow(chain().agents, tasks), budget=Budget(max_tokens=200))

    assert isinstance(heard.outcome, OutOfBudget)
    assert len(stage.provider.requests) == 2


async def test_tasks_at_the_same_time_do_not_overdraw_the_calls(stage: Stage) -> None:
    heard = await stage.play(crowd(), budget=Budget(max_llm_calls=1))

    assert isinstance(heard.outcome, OutOfBudget)
    assert len(stage.provider.requests) == 1
    assert len(heard.of("task.completed")) == 1


async def test_a_call_that_hangs_is_ended_when_the_seconds_are_over(stage: Stage) -> None:
    stage.provider.on(Hang())

    heard = await stage.play(budget=Budget(max_seconds=0.3))

    assert isinstance(heard.outcome, OutOfBudget)
    assert heard.outcome.limit is BudgetLimit.SECONDS
    assert heard.outcome.seconds >= 0.3
    await stage.disconnects(1)


async def test_the_run_s_time_limit_ends_a_call_that_hangs(stage: Stage) -> None:
    stage.provider.on(Hang())

    heard = await stage.play(timeout_seconds=0.3)

    assert isinstance(heard.outcome, Failed)
    assert heard.outcome.failure.code == "run-timeout"
    await stage.disconnects(1)


async def test_the_time_limit_counts_earlier_attempts_since_a_person_let_the_run_go_on(stage: Stage) -> None:
    late = await stage.play(timeout_seconds=60, timeout_seconds_used=60, budget_seconds_used=60)
    anew = await stage.play(timeout_seconds=60, timeout_seconds_used=0, budget_seconds_used=60)

    assert isinstance(late.outcome, Failed)
    assert isinstance(anew.outcome, Completed)


async def test_each_limit_is_warned_of_once_at_four_fifths(stage: Stage) -> None:
    stage.provider.on(Say("text", usage=Tokens(45, 0)))

    heard = await stage.play(chain(), budget=Budget(max_tokens=100, max_llm_calls=10))

    assert isinstance(heard.outcome, Completed)
    warned = heard.one("budget.warned")
    assert warned.data.limit is BudgetLimit.TOKENS
    assert warned.data.usage.total_tokens == 90


def test_what_was_warned_of_in_an_earlier_attempt_is_not_told_again() -> None:
    spending = BudgetTracker(Budget(max_llm_calls=10), Usage(llm_calls=8), 0)

    spending.reserve_call()

    assert spending.take_new_warnings() == []


def test_a_pace_gives_turns_until_the_minute_is_full() -> None:
    now = [100.0]
    pace = RateLimiter(2, clock=lambda: now[0])

    waits = [pace.reserve(), pace.reserve(), pace.reserve(), pace.reserve()]
    now[0] = 170.0

    assert waits == [0, 0, 60, 60]
    assert pace.reserve() == 50
