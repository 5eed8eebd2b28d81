"""Code that speaks one protocol and is mapped to a model of another."""

import json
from pathlib import Path
from typing import Any

import anthropic
import httpx
import openai
import pytest
from google import genai
from google.genai import types

from crewai_runner.domain.provider import ProviderType
from tests.executor.projects.gateway.harness import KEY, embedder, model, open_gateway
from tests.executor.projects.gateway.test_client_libraries import MESSAGES, run_client
from tests.support.provider.protocols import Turn
from tests.support.scripted_provider import (
    Body,
    CallTools,
    Drop,
    Fail,
    Hang,
    Say,
    ScriptedProvider,
    Usage,
)

SCHEMA = {"type": "object", "properties": {"q": {"type": "string"}}, "required": ["q"]}
TOOL = {"type": "function", "function": {"name": "search", "parameters": SCHEMA, "description": "Searches"}}
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


class TestAnthropicToOpenAI:
    async def test_tools(self, tmp_path: Path, provider: ScriptedProvider) -> None:
        """A tool is called and its result sent back, streamed and not."""
        provider.on(
            CallTools([("search", {"q": "tea"}), ("search", {"q": "milk"})], text="Looking."),
            when=lambda request: request.messages[-1]["role"] == "user",
        )
        provider.on(Say("Found two.", usage=Usage(20, 3, cached=8)))
        fields: Any = {
            "model": "claude-sonnet-4",
            "max_tokens": 50,
            "system": [{"type": "text", "text": "Be brief."}],
            "temperature": 0.5,
            "stop_sequences": ["END"],
            "tools": [{"name": "search", "description": "Searches", "input_schema": SCHEMA}],
            "tool_choice": {"type": "any", "disable_parallel_tool_use": True},
        }

        def work(url: str, key: str) -> list[tuple[Any, Any]]:
            found = []
            with anthropic.Anthropic(base_url=url, api_key=key) as client:
                for stream in (False, True):
                    messages = list(MESSAGES)
                    first = _ask(client, messages, fields, stream)
                    results = [
                        {"type": "tool_result", "tool_use_id": block.id, "content": f"{block.input['q']}!"}
                        for block in first.content
                        if block.type == "tool_use"
                    ]
                    messages += [
                        {"role": "assistant", "content": first.content},
                        {"role": "user", "content": results},
                    ]
                    found.append((first, _ask(client, messages, fields, stream)))
            return found

        async with open_gateway(tmp_path, model(provider)) as gateway:
            answers = await run_client(gateway, work)

        for first, second in answers:
            tools = [block for block in first.content if block.type == "tool_use"]
            assert [block.input for block in tools] == [{"q": "tea"}, {"q": "milk"}]
            assert first.stop_reason == "tool_use"
            assert second.content[0].text == "Found two."
            assert (second.stop_reason, second.model) == ("end_turn", "claude-sonnet-4")
            usage = second.usage
            assert (usage.input_tokens, usage.cache_read_input_tokens, usage.output_tokens) == (12, 8, 3)
        assert answers[0][0].content[0].text == "Looking."  # the scripted provider does not stream it
        whole, streamed = provider.requests[1].payload, provider.requests[3].payload
        assert whole["messages"] == [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Say hello"},
            {
                "role": "assistant",
                "content": "Looking.",
                "tool_calls": [
                    {
                        "id": f"call_1_{n}",
                        "type": "function",
                        "function": {"name": "search", "arguments": json.dumps({"q": q})},
                    }
                    for n, q in enumerate(("tea", "milk"))
                ],
            },
            {"role": "tool", "tool_call_id": "call_1_0", "content": "tea!"},
            {"role": "tool", "tool_call_id": "call_1_1", "content": "milk!"},
        ]
        assert whole["tools"] == [TOOL]
        settings = ("max_tokens", "temperature", "stop", "tool_choice", "parallel_tool_calls", "stream")
        assert [whole[name] for name in settings] == [50, 0.5, ["END"], "required", False, False]
        assert streamed["stream_options"] == {"include_usage": True}
        completed = [event.data for event in gateway.of("llm.completed")]
        assert [data.tool_calls for data in completed] == [["search", "search"], []] * 2
        assert completed[3].usage.total_tokens == 23

    async def test_text_is_streamed_as_it_arrives(self, tmp_path: Path, provider: ScriptedProvider) -> None:
        provider.on(Say("one two three"))

        def work(url: str, key: str) -> list[str]:
            with (
                anthropic.Anthropic(base_url=url, api_key=key) as client,
                client.messages.stream(model="claude", max_tokens=9, messages=MESSAGES) as stream,
            ):
                return list(stream.text_stream)

        async with open_gateway(tmp_path, model(provider)) as gateway:
            assert await run_client(gateway, work) == ["one ", "two ", "three"]

    async def test_images_and_reasoning(self, tmp_path: Path, provider: ScriptedProvider) -> None:
        image = {"type": "base64", "media_type": "image/png", "data": PIXEL}
        messages = [
            {
                "role": "user",
                "content": [{"type": "text", "text": "See"}, {"type": "image", "source": image}],
            },
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "Hm", "signature": "s"},
                    {"type": "text", "text": "I see"},
                ],
            },
            {"role": "user", "content": "Go on"},
        ]
        async with open_gateway(tmp_path, model(provider)) as gateway, gateway.client() as client:
            body = {"model": "claude", "max_tokens": 9, "messages": messages}
            await client.post("/v1/messages", json=body)

        assert provider.requests[0].messages == [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "See"},
                    {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}},
                ],
            },
            {"role": "assistant", "content": "I see"},
            {"role": "user", "content": "Go on"},
        ]

    @pytest.mark.parametrize(
        "change",
        [
            {"mcp_servers": [{"url": "https://evil.example"}]},
            {"tools": [{"type": "web_search_20250305", "name": "web_search"}]},
            {"messages": [{"role": "user", "content": [{"type": "document", "source": {}}]}]},
            {"messages": [{"role": "system", "content": "x"}]},
            {"messages": "x"},
            {"tool_choice": {"type": "other"}},
        ],
    )
    async def test_what_has_no_counterpart_is_refused(
        self, tmp_path: Path, provider: ScriptedProvider, change: dict[str, Any]
    ) -> None:
        async with open_gateway(tmp_path, model(provider)) as gateway, gateway.client() as client:
            body = {"model": "claude", "max_tokens": 9, "messages": MESSAGES, **change}
            answer = await client.post("/v1/messages", json=body)

        assert answer.status_code == 400
        assert answer.json()["error"]["type"] == "invalid_request_error"
        assert provider.requests == []

    async def test_errors_of_the_provider(self, tmp_path: Path, provider: ScriptedProvider) -> None:
        provider.then(
            Fail(429, f"Slow down, {KEY}"),
            Body('{"error": {"message": "Overloaded"}}', "application/json"),
            Drop(),
        )
        async with open_gateway(tmp_path, model(provider)) as gateway, gateway.client() as client:
            body = {"model": "claude", "max_tokens": 9, "messages": MESSAGES}
            answers = [await client.post("/v1/messages", json=body) for _ in range(3)]

        assert [answer.status_code for answer in answers] == [429, 503, 502]
        assert {answer.json()["type"] for answer in answers} == {"error"}
        assert "Slow down, [secret]" in answers[0].text
        assert len(gateway.of("llm.failed")) == 3

    async def test_answer_without_an_end(self, tmp_path: Path, provider: ScriptedProvider) -> None:
        chunk = {"choices": [{"index": 0, "delta": {"content": "Once "}}]}
        provider.on(Body(f"data: {json.dumps(chunk)}\n\n"))

        def work(url: str, key: str) -> Any:
            with anthropic.Anthropic(base_url=url, api_key=key) as client:
                fields: Any = {"model": "claude", "max_tokens": 9, "messages": MESSAGES}
                with (
                    pytest.raises(anthropic.APIStatusError) as caught,
                    client.messages.stream(**fields) as stream,
                ):
                    stream.until_done()
                return caught.value

        async with open_gateway(tmp_path, model(provider)) as gateway:
            error = await run_client(gateway, work)

        assert "before it was complete" in str(error)


def _ask(client: anthropic.Anthropic, messages: list[Any], fields: Any, stream: bool) -> Any:
    if not stream:
        return client.messages.create(messages=messages, **fields)
    with client.messages.stream(messages=messages, **fields) as opened:
        return opened.get_final_message()


class TestGeminiToOpenAI:
    async def test_tools(self, tmp_path: Path, provider: ScriptedProvider) -> None:
        provider.on(
            CallTools([("search", {"q": "tea"})], text="Looking."),
            when=lambda request: request.messages[-1]["role"] == "user",
        )
        provider.on(Say("Found it.", usage=Usage(20, 3)))
        declaration = types.FunctionDeclaration(
            name="search",
            description="Searches",
            parameters=types.Schema(
                type=types.Type.OBJECT, properties={"q": types.Schema(type=types.Type.STRING)}, required=["q"]
            ),
        )
        config = types.GenerateContentConfig(
            system_instruction="Be brief.",
            temperature=0.5,
            max_output_tokens=50,
            stop_sequences=["END"],
            tools=[types.Tool(function_declarations=[declaration])],
            automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
        )

        def work(url: str, key: str) -> tuple[Any, str, Any]:
            client = genai.Client(api_key=key, http_options=types.HttpOptions(base_url=url))
            models = client.models
            user = types.Content(role="user", parts=[types.Part(text="Find tea")])
            first = models.generate_content(model="gemini-2.5-pro", contents=user, config=config)
            result = types.Part.from_function_response(name="search", response={"found": 1})
            contents = [user, first.candidates[0].content, types.Content(role="user", parts=[result])]
            pieces = list(
                models.generate_content_stream(model="gemini-2.5-pro", contents=contents, config=config)
            )
            client.close()
            return first, "".join(piece.text or "" for piece in pieces), pieces[-1].usage_metadata

        async with open_gateway(tmp_path, model(provider)) as gateway:
            first, text, usage = await run_client(gateway, work)

        assert first.function_calls[0].args == {"q": "tea"}
        assert first.candidates[0].content.parts[0].text == "Looking."
        assert text == "Found it."
        assert (usage.prompt_token_count, usage.total_token_count) == (20, 23)
        payload = provider.requests[1].payload
        call_id = payload["messages"][2]["tool_calls"][0]["id"]
        assert payload["messages"] == [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Find tea"},
            {
                "role": "assistant",
                "content": "Looking.",
                "tool_calls": [
                    {
                        "id": call_id,
                        "type": "function",
                        "function": {"name": "search", "arguments": '{"q": "tea"}'},
                    }
                ],
            },
            {"role": "tool", "tool_call_id": call_id, "content": '{"found": 1}'},
        ]
        assert payload["tools"] == [TOOL]
        assert [payload[name] for name in ("max_tokens", "temperature", "stop")] == [50, 0.5, ["END"]]

    async def test_schema_of_the_answer(self, tmp_path: Path, provider: ScriptedProvider) -> None:
        schema = {"type": "OBJECT", "properties": {"n": {"type": "INTEGER", "nullable": True}}}
        config = {"response_mime_type": "application/json", "response_schema": schema}
        body = {"contents": [{"parts": [{"text": "Hi"}]}], "generation_config": config}

        async with open_gateway(tmp_path, model(provider)) as gateway, gateway.client() as client:
            await client.post("/v1beta/models/gemini:generateContent", json=body)

        wanted = provider.requests[0].payload["response_format"]["json_schema"]["schema"]
        assert wanted == {"type": "object", "properties": {"n": {"type": ["integer", "null"]}}}

    @pytest.mark.parametrize(
        "change",
        [
            {"tools": [{"googleSearch": {}}]},
            {"contents": [{"parts": [{"fileData": {"fileUri": "https://evil.example"}}]}]},
            {"cachedContent": "x"},
            {"generationConfig": {"candidateCount": 2}},
        ],
    )
    async def test_what_has_no_counterpart_is_refused(
        self, tmp_path: Path, provider: ScriptedProvider, change: dict[str, Any]
    ) -> None:
        async with open_gateway(tmp_path, model(provider)) as gateway, gateway.client() as client:
            body = {"contents": [{"parts": [{"text": "Hi"}]}], **change}
            answer = await client.post("/v1beta/models/gemini:generateContent", json=body)

        assert answer.status_code == 400
        assert answer.json()["error"]["status"] == "INVALID_ARGUMENT"

    async def test_embeddings(self, tmp_path: Path, provider: ScriptedProvider) -> None:
        def work(url: str, key: str) -> Any:
            client = genai.Client(api_key=key, http_options=types.HttpOptions(base_url=url))
            found = client.models.embed_content(model="gemini-embedding-001", contents=["tea", "milk"])
            client.close()
            return found

        async with open_gateway(tmp_path, embedder(provider)) as gateway:
            found = await run_client(gateway, work)

        assert [len(one.values) for one in found.embeddings] == [8, 8]
        assert provider.other_requests[0].payload["input"] == ["tea", "milk"]
        assert gateway.of("llm.completed")[0].data.usage.prompt_tokens == 2


class TestOllamaToOpenAI:
    async def test_chat(self, tmp_path: Path, provider: ScriptedProvider) -> None:
        provider.then(Say("one two", usage=Usage(4, 2)), CallTools([("search", {"q": "tea"})]))
        messages = [
            *MESSAGES,
            {
                "role": "assistant",
                "content": "",
                "tool_calls": [{"function": {"name": "search", "arguments": {"q": "x"}}}],
            },
            {"role": "tool", "tool_name": "search", "content": "found"},
        ]
        body = {"model": "llama3", "messages": messages, "options": {"num_predict": 7, "temperature": 0}}

        async with open_gateway(tmp_path, model(provider)) as gateway, gateway.client() as client:
            streamed = await client.post("/_h/localhost:11434/api/chat", json=body)
            whole = await client.post("/api/chat", json={**body, "stream": False, "tools": [TOOL]})
            tags = await client.get("/api/tags")

        lines = [json.loads(line) for line in streamed.text.splitlines()]
        assert [line["message"]["content"] for line in lines] == ["one ", "two", ""]
        assert (lines[-1]["done"], lines[-1]["prompt_eval_count"], lines[-1]["eval_count"]) == (True, 4, 2)
        calls = whole.json()["message"]["tool_calls"]
        assert calls == [{"function": {"name": "search", "arguments": {"q": "tea"}}}]
        payload = provider.requests[0].payload
        call = payload["messages"][1]["tool_calls"][0]
        assert payload["messages"][2] == {"role": "tool", "tool_call_id": call["id"], "content": "found"}
        assert (payload["max_tokens"], payload["temperature"]) == (7, 0)
        assert [one["name"] for one in tags.json()["models"]] == ["main"]

    async def test_generate(self, tmp_path: Path, provider: ScriptedProvider) -> None:
        provider.on(Say("one two", usage=Usage(4, 2)))
        body = {"model": "llama3", "prompt": "Say it", "system": "Be brief.", "format": "json"}

        async with open_gateway(tmp_path, model(provider)) as gateway, gateway.client() as client:
            streamed = await client.post("/api/generate", json=body)
            refused = await client.post("/api/generate", json={**body, "raw": True})

        lines = [json.loads(line) for line in streamed.text.splitlines()]
        assert "".join(line["response"] for line in lines) == "one two"
        assert provider.requests[0].payload["response_format"] == {"type": "json_object"}
        assert [m["role"] for m in provider.requests[0].messages] == ["system", "user"]
        assert refused.status_code == 400
        assert "raw" in refused.json()["error"]
        assert gateway.of("llm.started")[0].data.prompt == "Say it"

    @pytest.mark.parametrize(
        ("path", "body", "member"),
        [
            ("/api/embed", {"input": ["a", "b"]}, "embeddings"),
            ("/api/embeddings", {"prompt": "a"}, "embedding"),
        ],
    )
    async def test_embeddings(
        self, tmp_path: Path, provider: ScriptedProvider, path: str, body: dict[str, Any], member: str
    ) -> None:
        async with open_gateway(tmp_path, embedder(provider)) as gateway, gateway.client() as client:
            answer = await client.post(path, json={"model": "nomic", **body})

        vectors = answer.json()[member]
        assert len(vectors[0] if member == "embeddings" else vectors) == 8

    async def test_own_protocol_is_passed_on(self, tmp_path: Path, provider: ScriptedProvider) -> None:
        line = {"message": {"content": "Hi"}, "done": True, "prompt_eval_count": 3, "eval_count": 1}
        provider.on(Body(json.dumps(line) + "\n", "application/x-ndjson"))
        body = {"model": "llama3", "messages": MESSAGES, "keep_alive": "5m"}

        async with (
            open_gateway(tmp_path, model(provider, ProviderType.OLLAMA)) as gateway,
            gateway.client() as client,
        ):
            answer = await client.post("/api/chat", json=body)

        assert answer.json() == line
        assert provider.requests[0].path == "/api/chat"
        assert provider.requests[0].payload == {**body, "model": "test-model"}
        assert gateway.of("llm.completed")[0].data.usage.total_tokens == 4


class TestOpenAIToAnthropic:
    async def test_tools(self, tmp_path: Path, provider: ScriptedProvider) -> None:
        provider.on(
            Turn("Looking. ", thinking="Hm", calls=[("search", {"q": "tea"})]),
            when=lambda request: isinstance(request.messages[-1]["content"][0].get("text"), str),
        )
        provider.on(Turn("Found it.", usage={"input_tokens": 9, "cache_read_input_tokens": 2}))
        fields: Any = {
            "model": "gpt-4o",
            "tools": [TOOL],
            "tool_choice": "required",
            "temperature": 1.5,
            "stop": "END",
        }

        def work(url: str, key: str) -> tuple[Any, Any, list[Any]]:
            with openai.OpenAI(base_url=f"{url}/v1", api_key=key) as client:
                messages: list[Any] = [{"role": "system", "content": "Be brief."}, *MESSAGES]
                first = client.chat.completions.create(messages=messages, **fields)
                message = first.choices[0].message
                messages += [
                    message.model_dump(exclude_none=True),
                    {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": "tea!"},
                ]
                second = client.chat.completions.create(messages=messages, **fields)
                options = {"include_usage": True}
                stream = client.chat.completions.create(
                    messages=messages, stream=True, stream_options=options, **fields
                )
                return first, second, list(stream)

        claude = model(provider, ProviderType.ANTHROPIC, model="claude-real")
        async with open_gateway(tmp_path, claude) as gateway:
            first, second, chunks = await run_client(gateway, work)

        message = first.choices[0].message
        assert (message.content, first.choices[0].finish_reason) == ("Looking. ", "tool_calls")
        assert message.tool_calls[0].function.arguments == '{"q": "tea"}'
        assert second.choices[0].message.content == "Found it."
        assert (second.usage.prompt_tokens, second.usage.completion_tokens) == (11, 2)
        text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
        assert text.strip() == "Found it."
        assert chunks[-1].usage.total_tokens == 13
        payload = provider.requests[1].payload
        call_id = message.tool_calls[0].id
        assert payload == {
            "model": "claude-real",
            "stream": False,
            "system": "Be brief.",
            "max_tokens": 4096,
            "temperature": 1.0,
            "stop_sequences": ["END"],
            "tools": [{"name": "search", "description": "Searches", "input_schema": SCHEMA}],
            "tool_choice": {"type": "any"},
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "Say hello"}]},
                {
                    "role": "assistant",
                    "content": [
                        {"type": "text", "text": "Looking. "},
                        {"type": "tool_use", "id": call_id, "name": "search", "input": {"q": "tea"}},
                    ],
                },
                {
                    "role": "user",
                    "content": [{"type": "tool_result", "tool_use_id": call_id, "content": "tea!"}],
                },
            ],
        }
        assert provider.requests[1].headers["x-api-key"] == KEY
        assert gateway.of("llm.completed")[2].data.usage.total_tokens == 13

    async def test_responses_are_refused(self, tmp_path: Path, provider: ScriptedProvider) -> None:
        claude = model(provider, ProviderType.ANTHROPIC)
        async with open_gateway(tmp_path, claude) as gateway, gateway.client() as client:
            answer = await client.post("/v1/responses", json={"model": "gpt-4o", "input": "Hi"})

        assert answer.status_code == 400
        assert "Responses API" in answer.json()["error"]["message"]

    async def test_gemini_to_anthropic(self, tmp_path: Path, provider: ScriptedProvider) -> None:
        provider.on(Turn("Hello", finish="max_tokens"))
        claude = model(provider, ProviderType.ANTHROPIC)
        async with open_gateway(tmp_path, claude) as gateway, gateway.client() as client:
            body = {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}
            answer = await client.post("/v1beta/models/gemini:generateContent", json=body)

        candidate = answer.json()["candidates"][0]
        assert candidate["content"]["parts"] == [{"text": "Hello"}]
        assert candidate["finishReason"] == "MAX_TOKENS"


async def test_openai_to_gemini(tmp_path: Path, provider: ScriptedProvider) -> None:
    """Google answers OpenAI's protocol at a path of its API."""
    gemini = model(provider, ProviderType.GEMINI, model="gemini-real")
    async with open_gateway(tmp_path, gemini) as gateway, gateway.client() as client:
        answer = await client.post("/v1/chat/completions", json={"model": "gpt-4o", "messages": MESSAGES})

    assert answer.status_code == 200
    assert provider.requests[0].path == "/v1beta/openai/chat/completions"
    assert provider.requests[0].api_key == KEY


async def test_client_that_is_gone_ends_a_translated_call(tmp_path: Path, provider: ScriptedProvider) -> None:
    provider.on(Hang())
    async with open_gateway(tmp_path, model(provider)) as gateway, gateway.client() as client:
        with pytest.raises(httpx.ReadTimeout):
            await client.post("/api/chat", json={"model": "m", "messages": MESSAGES}, timeout=0.3)
        (failed,) = await gateway.wait_for("llm.failed")

    assert failed.data.error.code == "call-cut-short"
    assert len(provider.wait_for_disconnects(1)) == 1
