"""Requests to HTTP APIs that OpenAPI documents describe."""

from typing import Any

import pytest

from crewai_runner.executor.tools.http_api import make_request
from crewai_runner.executor.tools.runner import ToolCallFailed

ID = {"argument": "id", "name": "id", "place": "path", "explode": False, "is_deep": False}
CONFIG: dict[str, Any] = {
    "api": "People",
    "base_url": "https://api.example.org",
    "method": "DELETE",
    "path": "/users/{id}/notes",
    "arguments": [ID],
}


@pytest.mark.parametrize("value", ["", ".", "..", "../admin", "a/b", "..\\admin", "/"])
def test_an_argument_cannot_choose_another_path(value: str) -> None:
    with pytest.raises(ToolCallFailed, match="`id` is a part of the path"):
        make_request(CONFIG, {"id": value})


@pytest.mark.parametrize(
    ("value", "segment"), [("a b?c#d", "a%20b%3Fc%23d"), (17, "17"), ("...", "..."), ("%2e%2e", "%252e%252e")]
)
def test_arguments_in_the_path_are_quoted(value: object, segment: str) -> None:
    request = make_request(CONFIG, {"id": value})

    assert request.url == f"https://api.example.org/users/{segment}/notes"
