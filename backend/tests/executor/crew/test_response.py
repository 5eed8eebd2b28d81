from typing import Any

import pytest

from crewai_runner.executor.crew.llm.response import parse_usage


class TestParseUsage:
    @pytest.mark.parametrize("reported", [None, {}, {"total_tokens": 0}])
    def test_unreported_figures_are_none(self, reported: dict[str, Any] | None) -> None:
        usage = parse_usage(reported, None)

        assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (None, None, None)
        assert (usage.cached_tokens, usage.cost, usage.llm_calls) == (None, None, 1)

    def test_field_names_of_other_providers(self) -> None:
        usage = parse_usage({"input_tokens": 3, "output_tokens": 4, "cache_read_input_tokens": 1}, None)

        assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (3, 4, 7)
        assert usage.cached_tokens == 1
