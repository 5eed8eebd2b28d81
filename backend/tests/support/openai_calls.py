"""Model calls through the OpenAI SDK."""

from typing import Any

import openai

HELLO: list[Any] = [
    {"role": "system", "content": "You are brief."},
    {"role": "user", "content": "Hello out there"},
]


def create_completion(client: openai.OpenAI, **options: Any) -> Any:
    """Create a chat completion, or a stream of one."""
    return client.chat.completions.create(**{"model": "test-model", "messages": HELLO, **options})


def text_chunks(stream: Any) -> list[str]:
    """Return the text chunks of a stream."""
    return [
        chunk.choices[0].delta.content for chunk in stream if chunk.choices and chunk.choices[0].delta.content
    ]
