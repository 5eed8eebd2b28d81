"""Every template runs to its end, or until it asks a person."""

import json
from typing import Any

import pytest

from crewai_runner.features.templates.service import TemplateService
from tests.support.scripted_provider import Say, ScriptedProvider
from tests.support.server_process import ApiClient

pytestmark = [pytest.mark.process, pytest.mark.crew]

NAMES = [template.name for template in TemplateService().list().templates if not template.runs_on_local_model]
ANSWERS: dict[str, Any] = {
    "Classify this customer": {"topic": "delivery", "urgency": "high", "wants": "A refund.", "facts": []},
    "Extract decisions": {"decisions": ["Move the launch."], "tasks": [], "open_questions": []},
    "extract its data": {
        **dict.fromkeys(("supplier", "number", "date", "currency", "payment_terms", "ordered_by"), "x"),
        **dict.fromkeys(("net", "tax", "total"), 1),
        "positions": [],
    },
}
CONNECTIONS: list[dict[str, Any]] = [
    {"name": "Search", "kind": "searxng", "baseUrl": "https://search.example"},
    {"name": "Chat", "kind": "slack", "secret": "https://hooks.slack.com/services/T0/B0/x"},
    {
        "name": "Data",
        "kind": "postgresql",
        "baseUrl": "postgresql://db.example/shop",
        "secret": "x7Kq29fLmP3v",
        "options": {"username": "reader"},
    },
    {
        "name": "Mail",
        "kind": "smtp",
        "baseUrl": "smtp://mail.example",
        "options": {"sender": "a@mail.example", "recipients": ["@example.com"]},
    },
]


@pytest.fixture
def connections(client: ApiClient) -> None:
    """What the tools of the templates need; the scripted model calls none of them."""
    known = {each["name"] for each in client.get("/api/connections")["connections"]}
    for body in CONNECTIONS:
        if body["name"] not in known:
            client.post("/api/connections", {"connection": body})


@pytest.mark.usefixtures("connections")
@pytest.mark.parametrize("name", NAMES)
def test_runs_with_its_default_inputs(client: ApiClient, provider: ScriptedProvider, name: str) -> None:
    for text, answer in ANSWERS.items():
        provider.on(Say(json.dumps(answer)), last_contains=text)
    document = TemplateService().get(name).yaml

    run = client.wait_for_state(client.start_run(document), "completed", "waiting")

    assert (run["status"] == "waiting") == ("human_input: true" in document)
    assert run["usage"]["llmCalls"] > 0
