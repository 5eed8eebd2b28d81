import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.executor.engine_modules import import_engine_module

module = import_engine_module("llm.answer.reasoning_text")

CASES = [
    ("<think>\nsecret\n</think>\n\nOld pond.", "Old pond.", "secret"),
    ("let me think.\n</think>\n\nOld pond.", "Old pond.", "let me think."),
    ("<think>never closed", "", "never closed"),
    ("Old pond.\n<think>never closed", "Old pond.", "never closed"),
    ("<THINKING>a</THINKING>b", "b", "a"),
    ("[THINK]a[/THINK]b", "b", "a"),
    ("<seed:think>a</seed:think>b", "b", "a"),
    ("x <think>a</think> y <think>b</think>z", "x  y z", "ab"),
    ("<think>a<think>b</think>c</think>d", "d", "a<think>bc"),
    ('<think>{"n": 0}</think>{"n": 7}', '{"n": 7}', '{"n": 0}'),
    ("Thought: I know.<think>a</think>\nFinal Answer: b", "Thought: I know.\nFinal Answer: b", "a"),
    ("Use `<think>` and `</think>`.", "Use `<think>` and `</think>`.", ""),
    ('{"tag": "<think>"}', '{"tag": "<think>"}', ""),
    ("```\n<think>\nx\n</think>\n```", "```\n<think>\nx\n</think>\n```", ""),
    ("a <think> b", "a <think> b", ""),
    ("1 < 2 and <thin> [x]", "1 < 2 and <thin> [x]", ""),
    ("  kept  ", "  kept  ", ""),
]


class TestReasoningSplitter:
    @pytest.mark.parametrize(("text", "answer", "reasoning"), CASES)
    def test_whole_text(self, text: str, answer: str, reasoning: str) -> None:
        assert module.split_reasoning(text) == (answer, reasoning)

    @settings(max_examples=200, deadline=None)
    @given(st.sampled_from(CASES), st.lists(st.integers(0, 60), max_size=8))
    def test_text_in_any_pieces(self, case: tuple[str, str, str], cuts: list[int]) -> None:
        text, answer, reasoning = case
        ends = sorted(min(cut, len(text)) for cut in cuts)
        splitter = module.ReasoningSplitter()
        streamed = [
            splitter.feed(text[start:end]) for start, end in zip([0, *ends], [*ends, len(text)], strict=True)
        ]
        streamed.append(splitter.finish())

        assert (splitter.answer, splitter.reasoning) == (answer, reasoning)
        if "</think>\n\nOld" not in text or text.startswith("<"):
            assert "secret" not in "".join(streamed)

    def test_is_linear(self) -> None:
        text = "<think" * 50_000 + "`" * 50_000 + "[" * 50_000

        assert module.split_reasoning(text)[0] == text
