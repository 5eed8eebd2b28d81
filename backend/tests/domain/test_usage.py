"""Sums of usage, and the cost of model calls."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crewai_runner.domain.usage import Cost, Pricing, Usage, calculate_cost, normalize_amount

EMPTY = Usage()
counts = st.none() | st.integers(0, 10**9)
costs = st.none() | st.builds(Cost, amount=st.decimals(0, 1000, places=6), currency=st.just("USD"))


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    total = draw(counts)
    return Usage(
        prompt_tokens=draw(counts),
        completion_tokens=draw(counts),
        cached_tokens=draw(counts),
        total_tokens=total,
        llm_calls=draw(st.integers(0, 100)),
        tool_calls=draw(st.integers(0, 100)),
        # Usage without tokens has no cost; that is not an unknown cost.
        cost=None if total == 0 else draw(costs),
    )


class TestPlus:
    @given(usages())
    def test_empty_usage_is_neutral(self, usage: Usage) -> None:
        assert usage.plus(EMPTY) == usage == EMPTY.plus(usage)

    @given(usages(), usages())
    def test_is_commutative(self, a: Usage, b: Usage) -> None:
        assert a.plus(b) == b.plus(a)

    @given(usages(), usages(), usages())
    def test_is_associative(self, a: Usage, b: Usage, c: Usage) -> None:
        assert a.plus(b).plus(c) == a.plus(b.plus(c))

    @given(usages(), usages())
    def test_unknown_value_leaves_the_known_sum(self, a: Usage, b: Usage) -> None:
        total = a.plus(b)

        for name in ("prompt_tokens", "completion_tokens", "cached_tokens", "total_tokens"):
            parts = (getattr(a, name), getattr(b, name))
            known = sum(part for part in parts if part is not None)
            assert getattr(total, name) == (None if None in parts and not known else known)

    def test_calls_of_unknown_usage_are_counted(self) -> None:
        total = Usage.of_call(1, 2, 0, 3, Cost(amount=1, currency="USD")).plus(Usage.of_call())

        assert (total.total_tokens, total.llm_calls) == (3, 2)
        assert (total.calls_without_usage, total.calls_without_cost) == (1, 1)

    def test_cost_in_another_currency_is_not_added(self) -> None:
        dollars = Usage.of_call(total_tokens=1, cost=Cost(amount=1, currency="USD"))
        euros = Usage.of_call(total_tokens=1, cost=Cost(amount=1, currency="EUR"))

        total = dollars.plus(euros)

        assert (total.cost, total.calls_without_cost) == (dollars.cost, 1)


class TestCalculateCost:
    pricing = Pricing(input_per_million="2.5", output_per_million="10")

    def test_is_exact(self) -> None:
        cost = calculate_cost(1, 1, self.pricing)

        assert cost == Cost(amount="0.0000125", currency="USD")

    @pytest.mark.parametrize(
        ("tokens", "written"), [(4_000_000, "10"), (40_000_000, "100"), (0, "0"), (400_000, "1")]
    )
    def test_is_serialised_without_an_exponent(self, tokens: int, written: str) -> None:
        cost = calculate_cost(tokens, 0, self.pricing)

        assert cost is not None
        assert f'"amount":"{written}"' in cost.model_dump_json()

    @pytest.mark.parametrize(("prompt", "completion"), [(None, 1), (1, None), (None, None)])
    def test_is_unknown_for_unknown_tokens(self, prompt: int | None, completion: int | None) -> None:
        assert calculate_cost(prompt, completion, self.pricing) is None

    def test_is_unknown_without_a_price_list(self) -> None:
        assert calculate_cost(1, 1, None) is None


class TestNormalizeAmount:
    @given(st.decimals(0, 10**9, places=10))
    def test_keeps_the_value_and_drops_the_exponent(self, amount: Decimal) -> None:
        normalized = normalize_amount(amount)

        assert normalized == amount
        assert "E" not in f"{normalized}" or abs(normalized) < Decimal("0.000001")
