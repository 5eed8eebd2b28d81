"""The scripted provider implements the OpenAI protocol and applies its rules."""

import json
import time
from typing import Any

import httpx
import openai
import pytest

from tests.support.openai_calls import HELLO, create_completion, text_chunks
from tests.support.scripted_provider import (
    CallTools,
    Fail,
    Say,
    ScriptedProvider,
    Usage,
)


class TestChatCompletions:
    def test_default_replies_are_numbered_and_tokens_are_words(self, client: openai.OpenAI) -> None:
        first, second = create_completion(client), create_completion(client)

        assert [one.choices[0].message.content for one in (first, second)] == ["Answer 1", "Answer 2"]
        assert (first.usage.prompt_tokens, first.usage.completion_tokens, first.usage.total_tokens) == (
            6,
            2,
            8,
        )

    def test_stream_sends_chunks_and_usage(self, provider: ScriptedProvider, client: openai.OpenAI) -> None:
        provider.then(Say(chunks=["On", "ce"], usage=Usage(11, 22, cached=5)))

        chunks = list(create_completion(client, stream=True, stream_options={"include_usage": True}))

        assert text_chunks(chunks) == ["On", "ce"]
        assert chunks[-2].choices[0].finish_reason == "stop"
        assert (chunks[-1].usage.prompt_tokens, chunks[-1].usage.prompt_tokens_details.cached_tokens) == (
            11,
            5,
        )

    def test_stream_omits_usage_unless_requested(self, client: openai.OpenAI) -> None:
        assert all(chunk.usage is None for chunk in create_completion(client, stream=True))

    def test_stamped_chunks_contain_their_send_time(
        self, provider: ScriptedProvider, client: openai.OpenAI
    ) -> None:
        provider.then(Say("one two", stamp=True))
        before = time.monotonic_ns()

        stamps = [
            int(piece.partition("@")[2].rstrip(";"))
            for piece in text_chunks(create_completion(client, stream=True))
        ]

        assert before < stamps[0] < stamps[1] < time.monotonic_ns()

    @pytest.mark.parametrize("stream", [False, True])
    def test_tool_calls_keep_malformed_arguments(
        self, provider: ScriptedProvider, client: openai.OpenAI, stream: bool
    ) -> None:
        provider.then(CallTools([("add", {"a": 1, "b": "x" * 60}), ("broken", '{"a": ')]))

        answer = create_completion(client, stream=stream)

        if stream:
            calls: dict[int, list[str]] = {}
            for chunk in answer:
                for part in chunk.choices[0].delta.tool_calls or []:
                    calls.setdefault(part.index, []).extend(
                        [part.function.name or "", part.function.arguments or ""]
                    )
            found = {index: (parts[0], "".join(parts[1:])) for index, parts in calls.items()}
        else:
            found = {
                index: (call.function.name, call.function.arguments)
                for index, call in enumerate(answer.choices[0].message.tool_calls)
            }
        assert found == {0: ("add", json.dumps({"a": 1, "b": "x" * 60})), 1: ("broken", '{"a": ')}

    def test_failure_has_openai_format_and_retry_header(
        self, provider: ScriptedProvider, client: openai.OpenAI
    ) -> None:
        provider.then(Fail(429, "Slow down", retry_after=3))

        with pytest.raises(openai.RateLimitError, match="Slow down") as caught:
            create_completion(client)

        assert caught.value.response.headers["retry-after"] == "3"

    def test_wrong_key_is_rejected_and_recorded(self) -> None:
        with ScriptedProvider(api_key="sk-right") as provider:
            for key in ("sk-wrong", "sk-right"):
                with openai.OpenAI(base_url=provider.base_url, api_key=key, max_retries=0) as client:
                    if key == "sk-right":
                        create_completion(client)
                        assert [card.id for card in client.models.list()] == ["test-model"]
                        continue
                    with pytest.raises(openai.AuthenticationError, match="Incorrect API key"):
                        create_completion(client)
                    with pytest.raises(openai.AuthenticationError):
                        client.models.list()

            assert [(one.api_key, one.status) for one in provider.requests] == [
                ("sk-wrong", 401),
                ("sk-right", 200),
            ]

    def test_echo_replies_with_the_last_message(self) -> None:
        with (
            ScriptedProvider(echo=True) as provider,
            openai.OpenAI(base_url=provider.base_url, api_key="k") as client,
        ):
            parts: Any = [{"role": "user", "content": [{"type": "text", "text": "Say it again"}]}]
            assert create_completion(client, messages=parts).choices[0].message.content == "Say it again"


class TestOtherRequests:
    def test_embeddings_are_deterministic(self, client: openai.OpenAI) -> None:
        made = client.embeddings.create(
            model="e", input=["cat", "dog", "cat"]
        ).data  # the SDK asks for base64
        plain = client.embeddings.create(model="e", input="cat", encoding_format="float").data[0].embedding

        assert made[0].embedding == made[2].embedding != made[1].embedding
        assert made[0].embedding == pytest.approx(plain, abs=1e-6)
        assert sum(value * value for value in plain) == pytest.approx(1)

    def test_any_path_prefix_is_accepted_and_unknown_paths_return_404(
        self, provider: ScriptedProvider
    ) -> None:
        with httpx.Client(base_url=provider.url) as http:
            answer = http.post(
                "/deep/er/v7/chat/completions?api-version=1", json={"model": "m", "messages": HELLO}
            )
            unknown = http.get("/v1/nothing")

        assert answer.json()["choices"][0]["message"]["content"] == "Answer 1"
        assert (unknown.status_code, unknown.json()["error"]["type"]) == (404, "not_found_error")
        assert [record.path for record in provider.other_requests] == ["/v1/nothing"]

    def test_invalid_json_returns_400_and_chunked_bodies_are_read(self, provider: ScriptedProvider) -> None:
        body = json.dumps({"model": "m", "messages": HELLO}).encode()
        with httpx.Client(base_url=provider.base_url) as http:
            broken = http.post("/chat/completions", content=b"{not json")
            chunked = http.post("/chat/completions", content=iter([body[:10], body[10:]]))

        assert (broken.status_code, chunked.status_code) == (400, 200)


class TestRules:
    def test_first_matching_unused_rule_selects_the_reply(
        self, provider: ScriptedProvider, client: openai.OpenAI
    ) -> None:
        provider.on(Say("other model"), model="big")
        provider.on(Say("twice"), contains="brief", times=2)
        provider.on(Say("never"), last_contains="brief")
        provider.on(Say("by predicate"), when=lambda request: request.number == 3)
        provider.on(lambda request: Say(f"made for {request.number}"))

        answers = [create_completion(client).choices[0].message.content for _ in range(4)]

        assert answers == ["twice", "twice", "by predicate", "made for 4"]
        assert create_completion(client, model="big").choices[0].message.content == "other model"


class TestRequestLog:
    def test_records_all_fields_of_a_request(self, provider: ScriptedProvider, client: openai.OpenAI) -> None:
        tool: Any = {"type": "function", "function": {"name": "add", "parameters": {"type": "object"}}}
        before = time.monotonic()

        create_completion(client, tools=[tool])

        [record] = provider.requests
        assert (record.number, record.model, record.path) == (1, "test-model", "/v1/chat/completions")
        assert (record.messages, record.tools, record.tool_names) == (HELLO, [tool], ["add"])
        assert (record.api_key, record.status, record.finished, record.disconnected) == (
            "sk-test",
            200,
            True,
            False,
        )
        assert record.finished_at is not None
        assert before < record.started <= record.finished_at < time.monotonic()
