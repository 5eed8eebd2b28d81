"""A scripted provider and the SDK's client for it."""

from collections.abc import Iterator

import openai
import pytest

from tests.support.scripted_provider import ScriptedProvider


@pytest.fixture
def provider() -> Iterator[ScriptedProvider]:
    with ScriptedProvider() as running:
        yield running


@pytest.fixture
def client(provider: ScriptedProvider) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=provider.base_url, api_key="sk-test", max_retries=0) as made:
        yield made
