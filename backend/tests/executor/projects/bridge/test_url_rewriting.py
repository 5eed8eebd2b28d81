"""The rewriting of URLs inside the sandbox. The guest's package is imported from its folder."""

import importlib
import sys
from collections.abc import Iterator
from types import ModuleType

import pytest

from tests.executor.projects.bridge.guest_process import SITE


@pytest.fixture(scope="module")
def url_rewriting() -> Iterator[ModuleType]:
    sys.path.insert(0, str(SITE))
    try:
        yield importlib.import_module("crewai_runner_bridge.url_rewriting")
    finally:
        sys.path.remove(str(SITE))


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://api.openai.com/v1/chat/completions", "api.openai.com/v1/chat/completions"),
        ("https://API.Anthropic.com/v1/messages?beta=true", "api.anthropic.com/v1/messages?beta=true"),
        ("http://localhost:11434/api/chat", "localhost:11434/api/chat"),
        ("http://127.0.0.1:1234/v1/models", "localhost:1234/v1/models"),
        ("http://[::1]:11434/api/chat", "localhost:11434/api/chat"),
        ("https://mine.openai.azure.com/openai/deployments/x", "mine.openai.azure.com/openai/deployments/x"),
        ("https://user:key@openrouter.ai/api/v1", "openrouter.ai/api/v1"),
        ("https://api.openai.com", "api.openai.com/"),
        ("https://models.example.com/v1/chat/completions", "models.example.com/v1/chat/completions"),
        ("http://127.0.0.1:8000/v1/chat/completions", "127.0.0.1:8000/v1/chat/completions"),
    ],
)
def test_urls_of_providers(url_rewriting: ModuleType, url: str, path: str) -> None:
    assert url_rewriting.rewrite(url) == f"http://127.0.0.1:8081/_h/{path}"


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/v1/chat",
        "https://api.openai.com.example.com/v1",
        "https://openai.azure.com/",
        "http://localhost:8000/v1",
        "http://127.0.0.1:8081/_h/api.openai.com/v1/chat/completions",
        "ftp://api.openai.com/v1",
        "https://[broken/v1",
        "http://localhost:port/v1",
        "",
    ],
)
def test_other_urls_are_kept(url_rewriting: ModuleType, url: str) -> None:
    assert url_rewriting.rewrite(url) is None
