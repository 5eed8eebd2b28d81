import math
from typing import Any

import pytest

from crewai_runner.executor.crew.llm.response import find_impossible_figures, parse_usage


class TestParseUsage:
    @pytest.mark.parametrize("reported", [None, {}, {"total_tokens": 0}])
    def test_unreported_figures_are_none(self, reported: dict[str, Any] | None) -> None:
        usage = parse_usage(reported, None)

        assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (None, None, None)
        assert (usage.cached_tokens, usage.cost, usage.llm_calls) == (None, None, 1)

    @pytest.mark.parametrize(
        "figure", [-1, 2**40 + 1, 10**30, 7.5, "11", True, math.nan, math.inf, -math.inf, [3], {"a": 1}]
    )
    def test_impossible_figures_are_unknown(self, figure: Any) -> None:
        reported = {"prompt_tokens": figure, "completion_tokens": 4, "total_tokens": 4}

        usage = parse_usage(reported, None)

        assert (usage.prompt_tokens, usage.completion_tokens) == (None, 4)
        assert find_impossible_figures(reported) == ["prompt_tokens"]

    def test_total_is_not_less_than_its_parts(self) -> None:
        reported = {"prompt_tokens": 1000, "completion_tokens": 4.0, "total_tokens": 0}

        assert parse_usage(reported, None).total_tokens == 1004
        assert find_impossible_figures(reported) == []

    def test_figures_of_bedrock(self) -> None:
        usage = parse_usage({"inputTokens": 3, "outputTokens": 4, "totalTokens": 7}, None)

        assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (3, 4, 7)

    def test_field_names_of_other_providers(self) -> None:
        usage = parse_usage({"input_tokens": 3, "output_tokens": 4, "cache_read_input_tokens": 1}, None)

        assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (3, 4, 7)
        assert usage.cached_tokens == 1
