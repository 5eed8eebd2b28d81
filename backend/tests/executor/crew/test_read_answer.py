"""Answers are read in every shape that providers send."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crewai_runner.executor.crew.context.exceptions import (
    AnswerInterrupted,
    AnswerMissing,
    AnswerRefused,
    ProviderReportedError,
    UnreadableAnswer,
)
from tests.executor.crew.failure_cases import classify
from tests.executor.engine_modules import import_engine_module

pytestmark = pytest.mark.crew

read_answer = import_engine_module("llm.answer.read_answer").read_answer
CHUNKED = {"transfer-encoding": "chunked"}


def read(body: str | bytes | Sequence[bytes], headers: dict[str, str] = CHUNKED, lost: bool = False) -> Any:
    data = [body.encode()] if isinstance(body, str) else [body] if isinstance(body, bytes) else body

    async def pieces() -> AsyncIterator[bytes]:
        for piece in data:
            yield piece
        if lost:
            raise httpx.RemoteProtocolError("peer closed connection")

    return asyncio.run(read_answer(pieces(), httpx.Headers(headers), lambda _text: None))


def choice(part: dict[str, Any], finish: str | None = None, kind: str = "delta") -> dict[str, Any]:
    return {"id": "c1", "choices": [{"index": 0, kind: part, "finish_reason": finish}]}


def events(*payloads: Any, end: str = "data: [DONE]\n\n") -> str:
    return "".join([f"data: {json.dumps(payload)}\n\n" for payload in payloads]) + end


def delta(text: Any) -> dict[str, Any]:
    return choice({"content": text})


STOP = choice({}, "stop")
WHOLE = choice({"content": "ab"}, "stop", "message")


class TestShapes:
    @pytest.mark.parametrize(
        "body",
        [
            events(delta("a"), delta("b"), STOP),
            events(delta("a"), delta("b"), STOP, end=""),
            events(delta("a"), delta("b")),
            events(delta("a"), delta("b"), STOP).replace("\n", "\r\n"),
            events(delta("a"), delta("b"), STOP).replace("\n", "\r"),
            events(delta("a"), delta("b"), STOP).replace("data: ", "data:"),
            events(delta("a"), delta("b"), STOP).replace("\n\n", "\n"),
            "\ufeff" + events(delta("a"), delta("b"), STOP),
            ": PROCESSING\n\nevent: message\nid: 1\nretry: 5\n" + events(delta("a"), delta("b"), STOP),
            "".join(f"data: {line}\n" for line in json.dumps(WHOLE, indent=1).splitlines()) + "\n",
            "data: ping\n\n" + events(delta("a"), delta("b"), STOP),
            json.dumps(WHOLE),
            "\n\n" + json.dumps(WHOLE, indent=2),
            json.dumps(delta("a")) + "\n" + json.dumps(choice({"content": "b"}, "stop")),
            events(WHOLE),
            events(delta([{"type": "text", "text": "a"}]), delta([{"type": "text", "text": "b"}]), STOP),
            json.dumps(choice({"content": [{"type": "text", "text": "ab"}]}, "stop", "message")),
            events(delta("a"), {"choices": []}, {"choices": None}, {}, delta("b"), STOP),
            events(delta("a"), delta(None), choice({"role": "assistant"}), delta("b"), STOP),
            events(
                delta("a"),
                delta("b"),
                {"choices": [{"delta": {}, "message": WHOLE, "finish_reason": "stop"}]},
            ),
            events({"choices": [{"text": "ab", "finish_reason": "stop"}]}),
            json.dumps({"choices": {"message": {"content": "ab"}}}),
            json.dumps({"message": {"content": "ab"}, "done": True, "done_reason": "stop"}),
            events({**delta("a"), "error": None}, {**delta("b"), "error": {}}, {**STOP, "error": ""}),
        ],
    )
    def test_text(self, body: str) -> None:
        assert read(body).text == "ab"

    def test_pieces_of_one_byte(self) -> None:
        body = events(delta("né👍\u2028x"), STOP).replace("\n", "\r\n").encode()

        assert read([body[at : at + 1] for at in range(len(body))]).text == "né👍\u2028x"

    def test_reasoning_parts_are_no_text(self) -> None:
        parts = [
            {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
            {"type": "text", "text": "ab"},
        ]

        answer = read(json.dumps(choice({"content": parts}, "stop", "message")))

        assert (answer.text, answer.reasoning, answer.reasoning_fields) == ("ab", "hm", {})

    @pytest.mark.parametrize("calls", [{}, [], None, "none"])
    def test_odd_values_instead_of_tool_calls(self, calls: object) -> None:
        answer = read(json.dumps(choice({"content": "ab", "tool_calls": calls}, "stop", "message")))

        assert (answer.text, answer.tool_calls) == ("ab", [])

    def test_number_as_content(self) -> None:
        assert read(json.dumps(choice({"content": 42}, "stop", "message"))).text == "42"

    def test_usage_on_every_chunk_and_none_at_the_end(self) -> None:
        figures = [{"prompt_tokens": 5, "completion_tokens": n} for n in (1, 2, 3)]

        answer = read(events(*({**delta("x"), "usage": usage} for usage in figures), {**STOP, "usage": None}))

        assert answer.text == "xxx"
        assert answer.usage == figures[-1]


class TestReportedErrors:
    @pytest.mark.parametrize(
        ("payload", "code", "words"),
        [
            ({"error": {"message": "slow down", "code": 429}}, "provider-rate-limit", "slow down"),
            ({"error": {"message": "slow down", "code": "429"}}, "provider-rate-limit", "slow down"),
            ({"error": {"message": "m", "type": "rate_limit_exceeded"}}, "provider-rate-limit", "m"),
            ({"error": "Rate limit reached"}, "provider-rate-limit", "Rate limit reached"),
            ({"error": "model overloaded"}, "provider-error", "model overloaded"),
            ({"error": {"message": "no funds", "code": "insufficient_quota"}}, "provider-quota", "no funds"),
            ({"error": {"message": "bad key", "type": "authentication_error"}}, "provider-auth", "bad key"),
            ({"error": True, "message": "it broke"}, "provider-error", "it broke"),
            ({"object": "error", "message": "it broke", "code": 500}, "provider-error", "it broke"),
            (
                {"type": "error", "error": {"type": "overloaded_error", "message": "Busy"}},
                "provider-error",
                "Busy",
            ),
            ({"detail": "it broke"}, "provider-error", "it broke"),
            ({"code": 40001, "msg": "it broke"}, "provider-error", "it broke"),
            (
                {"choices": None, "base_resp": {"status_code": 1004, "status_msg": "login fail: api key"}},
                "provider-auth",
                "login fail",
            ),
            (
                {"error": {"message": "prompt is too long: 9 tokens > 8 maximum", "code": 400}},
                "context-too-long",
                "too long",
            ),
            ({"choices": [{"error": {"message": "upstream", "code": 502}}]}, "provider-error", "upstream"),
        ],
    )
    @pytest.mark.parametrize(
        "form", ["{}", "data: {}\n\n", 'data: {"choices":[{"delta":{"content":"x"}}]}\n\ndata: {}\n\n']
    )
    def test_keep_the_provider_words(self, payload: dict[str, Any], code: str, words: str, form: str) -> None:
        with pytest.raises(ProviderReportedError) as failure:
            read(form.replace("{}", json.dumps(payload)))

        shown = classify(failure.value)
        assert shown.code == code
        assert words in shown.message

    def test_error_event(self) -> None:
        with pytest.raises(ProviderReportedError) as failure:
            read(events(delta("half")).replace("data: [DONE]\n\n", "event: error\ndata: upstream died\n\n"))

        assert "upstream died" in classify(failure.value).message

    def test_plain_text(self) -> None:
        with pytest.raises(UnreadableAnswer, match="upstream connect error"):
            read("upstream connect error or disconnect")

    def test_success_codes_are_no_error(self) -> None:
        assert (
            read(json.dumps({**WHOLE, "code": 0, "message": "ok", "base_resp": {"status_code": 0}})).text
            == "ab"
        )


class TestEnds:
    def test_connection_lost_in_the_middle(self) -> None:
        with pytest.raises(AnswerInterrupted) as failure:
            read(events({**delta("half"), "usage": {"prompt_tokens": 4}}, end=""), lost=True)

        assert failure.value.usage == {"prompt_tokens": 4}
        shown = classify(failure.value)
        assert shown.code == "provider-interrupted"
        assert "base URL" not in str(shown.hint)

    def test_connection_lost_after_the_finish_reason(self) -> None:
        assert read(events(delta("ab"), STOP, end=""), lost=True).text == "ab"

    def test_closed_without_an_end_mark(self) -> None:
        with pytest.raises(AnswerInterrupted):
            read(events(delta("half"), end=""), headers={})

    def test_cut_json_document(self) -> None:
        with pytest.raises(AnswerInterrupted):
            read(json.dumps(WHOLE)[:-9], headers={})

    def test_no_end_mark_in_a_complete_body(self) -> None:
        assert read(events(delta("ab"), end="")).finish_reason == "unfinished"

    def test_refusal(self) -> None:
        with pytest.raises(AnswerRefused, match=r"I can't\."):
            read(events(choice({"content": None, "refusal": "I "}), choice({"refusal": "can't."}), STOP))

    @pytest.mark.parametrize("body", ["", ": ping\n\n", json.dumps({"choices": []}), events({"usage": {}})])
    def test_nothing_at_all(self, body: str) -> None:
        with pytest.raises(AnswerMissing):
            read(body)

    def test_only_reasoning(self) -> None:
        with pytest.raises(AnswerMissing, match="reasoning"):
            read(events(choice({"reasoning_content": "hm"}), STOP))


ARGUMENTS = ['{"q": "a"}', '{"q": "b", "n": {"x": 1}}', "{}", '{"q": "}{"}']
LAYOUTS = [
    "index and id",
    "index",
    "id",
    "equal index",
    "id on every piece",
    "from one",
    "same id",
    "neither",
]


@st.composite
def layouts(draw: st.DrawFn) -> tuple[list[dict[str, Any]], str, list[tuple[str, str]]]:
    """A valid answer, cut into chunks in any way: the chunks, the text and the calls."""
    text = draw(st.text(alphabet="ab \n", max_size=8))
    calls = [
        (f"tool_{draw(st.sampled_from('xy'))}", draw(st.sampled_from(ARGUMENTS)))
        for _ in range(draw(st.integers(0, 3)))
    ]
    layout = draw(st.sampled_from(LAYOUTS))
    parts: list[dict[str, Any]] = [{"content": piece} for piece in _cut(draw, text)]
    for number, (name, arguments) in enumerate(calls):
        for position, piece in enumerate(_cut(draw, arguments)):
            entry = _tool_entry(layout, number, is_first=position == 0)
            entry["function"] = {"arguments": piece, **({"name": name} if position == 0 else {})}
            parts.append({"tool_calls": [entry]})
    chunks = []
    for part in parts:
        role = {"role": "assistant"} if draw(st.booleans()) else {}
        usage = {"usage": {"prompt_tokens": 1, "completion_tokens": 1}} if draw(st.booleans()) else {}
        chunks.append({**choice({**role, **part}), **usage})
        if draw(st.booleans()):
            chunks.append(draw(st.sampled_from([choice({}), choice({"content": ""}), {"choices": []}])))
    return chunks, text, calls


def _tool_entry(layout: str, number: int, *, is_first: bool) -> dict[str, Any]:
    entry: dict[str, Any] = {}
    if layout in ("index and id", "index", "id on every piece", "same id", "from one"):
        entry["index"] = number + (layout == "from one")
    elif layout == "equal index":
        entry["index"] = 0
    if layout in ("id", "id on every piece") or (
        is_first and layout in ("index and id", "equal index", "from one")
    ):
        entry["id"] = f"call_{number}"
    elif layout == "same id":
        entry["id"] = "call"
    return entry


def _cut(draw: st.DrawFn, text: str) -> list[str]:
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=3)))
    return [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]


class TestAnyLayout:
    @settings(max_examples=200, deadline=None)
    @given(layouts())
    def test_same_answer(self, case: tuple[list[dict[str, Any]], str, list[tuple[str, str]]]) -> None:
        chunks, text, calls = case

        answer = read(events(*chunks, choice({}, "tool_calls" if calls else "stop")))

        assert answer.text == text
        found = [(call["function"]["name"], call["function"]["arguments"]) for call in answer.tool_calls]
        assert found == calls
        assert len({call["id"] for call in answer.tool_calls}) == len(calls)
        assert all(call["id"] for call in answer.tool_calls)

    def test_calls_in_one_message(self) -> None:
        entries = [{"id": "", "function": {"name": "f", "arguments": {"n": n}}} for n in (1, 2)]

        answer = read(json.dumps(choice({"tool_calls": entries}, "tool_calls", "message")))

        assert [json.loads(call["function"]["arguments"]) for call in answer.tool_calls] == [
            {"n": 1},
            {"n": 2},
        ]

    def test_new_id_with_every_piece(self) -> None:
        pieces = [
            {"id": "r1", "function": {"name": "f", "arguments": '{"n"'}},
            {"id": "r2", "function": {"arguments": ": 1}"}},
        ]

        answer = read(events(*(choice({"tool_calls": [{"index": 0, **piece}]}) for piece in pieces), STOP))

        assert [call["function"]["arguments"] for call in answer.tool_calls] == ['{"n": 1}']

    def test_function_call_of_the_old_protocol(self) -> None:
        parts = [{"function_call": {"name": "f", "arguments": ""}}, {"function_call": {"arguments": "{}"}}]

        answer = read(events(*(choice(part) for part in parts), choice({}, "function_call")))

        assert [call["function"] for call in answer.tool_calls] == [{"name": "f", "arguments": "{}"}]


class TestReasoningFields:
    def test_keep_their_names_and_pieces(self) -> None:
        details = [{"type": "reasoning.text", "index": 0, "text": text} for text in ("a", "b")]
        chunks = [
            choice({"reasoning_content": "I ", "reasoning_details": details[:1]}),
            choice({"reasoning_content": "think", "reasoning_details": details[1:]}),
        ]

        answer = read(events(*chunks, delta("ab"), STOP))

        assert answer.reasoning_fields == {
            "reasoning_content": "I think",
            "reasoning_details": [{"type": "reasoning.text", "index": 0, "text": "ab"}],
        }
