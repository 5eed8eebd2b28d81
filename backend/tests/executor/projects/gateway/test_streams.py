"""Filters of streamed bytes: where the pieces are cut makes no difference."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crewai_runner.executor.projects.gateway.key_mask import KeyMask
from crewai_runner.executor.projects.gateway.service_tier_filter import ServiceTierFilter
from crewai_runner.executor.projects.gateway.usage_chunk_filter import UsageChunkFilter

SECRET = "abcabcabd"
CUTS = st.lists(st.integers(0, 400), max_size=20)


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    return [data[start:end] for start, end in pairwise(places)]


class TestKeyMask:
    @given(st.lists(st.sampled_from([SECRET, "abc", "ab", "x", "abcabcab"]), max_size=20), CUTS)
    def test_masks_wherever_it_is_cut(self, texts: list[str], cuts: list[int]) -> None:
        data = "".join(texts).encode()
        mask = KeyMask([SECRET, "none"])

        masked = b"".join(mask.feed(piece) for piece in pieces(data, cuts)) + mask.finish()

        assert masked == data.replace(SECRET.encode(), b"[secret]")

    def test_holds_back_only_a_possible_beginning(self) -> None:
        mask = KeyMask([SECRET])

        assert [mask.feed(b"see abc"), mask.feed(b"d."), mask.finish()] == [b"see ", b"abcd.", b""]


class TestUsageChunkFilter:
    @given(st.lists(st.sampled_from(["text", "usage", "both", "comment", "[DONE]"]), max_size=12), CUTS)
    def test_drops_only_usage(self, kinds: list[str], cuts: list[int]) -> None:
        usage = {"usage": {"total_tokens": 3}}
        choice = {"choices": [{"delta": {"content": '"usage"'}}]}
        events = {
            "text": f"data: {json.dumps(choice)}\n\n",
            "usage": f"data: {json.dumps({'choices': [], **usage})}\r\n\r\n",
            "both": f"data: {json.dumps({**choice, **usage})}\n\n",
            "comment": ": ping\n\n",
            "[DONE]": "data: [DONE]\n\n",
        }
        found = UsageChunkFilter()

        data = "".join(events[kind] for kind in kinds).encode()
        passed = b"".join(found.feed(piece) for piece in pieces(data, cuts)) + found.finish()

        assert passed == "".join(events[kind] for kind in kinds if kind != "usage").encode()

    def test_event_without_end_is_passed_on(self) -> None:
        data = b"data: " + b"x" * 200_000
        found = UsageChunkFilter()

        assert found.feed(data) == data


class TestServiceTierFilter:
    @given(
        st.sampled_from(
            [
                {"choices": [{"message": {"content": 'say "service_tier" }'}}]},
                {"usage": {"a": {"b": 1}}},
                {"service_tier": "flex"},
                {"service_tier": None},
            ]
        ),
        st.sampled_from([None, 2]),
        CUTS,
    )
    def test_adds_only_what_is_absent(
        self, answer: dict[str, object], indent: int | None, cuts: list[int]
    ) -> None:
        answer = {"object": "chat.completion", **answer}
        data = f"\n{json.dumps(answer, indent=indent)}\n".encode()
        found = ServiceTierFilter()

        passed = b"".join(found.feed(piece) for piece in pieces(data, cuts)) + found.finish()

        assert json.loads(passed) == {"service_tier": "default", **answer}
        assert passed == data or "service_tier" not in answer

    @pytest.mark.parametrize(
        "data", [b"", b"{}", b"[1, {}]", b"null", b'{"a": 1', b" { } ", b'{"choices": 5}']
    )
    def test_other_content_is_unchanged(self, data: bytes) -> None:
        for cuts in ([], list(range(len(data)))):
            found = ServiceTierFilter()
            passed = b"".join(found.feed(piece) for piece in pieces(data, cuts)) + found.finish()

            assert passed == data
