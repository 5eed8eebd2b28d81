"""Calling a provider as the SDK does."""

from typing import Any

import openai

HELLO: list[Any] = [
    {"role": "system", "content": "You are brief."},
    {"role": "user", "content": "Hello out there"},
]


def create_completion(client: openai.OpenAI, **options: Any) -> Any:
    """One chat completion, or its stream."""
    return client.chat.completions.create(**{"model": "test-model", "messages": HELLO, **options})


def text_pieces(stream: Any) -> list[str]:
    """The pieces of text in a stream."""
    return [
        chunk.choices[0].delta.content for chunk in stream if chunk.choices and chunk.choices[0].delta.content
    ]
