"""Endpoints of validation, schema and conversion."""

import json
import threading
from typing import Any

import httpx
import pytest
import yaml as pyyaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from crewai_runner.core.principal import BUILTIN_WORKSPACE
from crewai_runner.db.session import Sessions, unit_of_work
from crewai_runner.db.tables.catalog import ModelRow, ProviderRow
from crewai_runner.features.workflows import service
from crewai_runner.features.workflows.crud.checked_document import CheckedDocument, check_document
from crewai_runner.wiring.container import Container
from tests.support.audit_hook import (
    CODE_EVENTS,
    FILE_EVENTS,
    NETWORK_EVENTS,
    PROCESS_EVENTS,
    record_audit_events,
)
from tests.support.documents import brief, checked
from tests.support.principals import ANONYMOUS, AS_DOCUMENT_READER, AS_STRANGER

pytestmark = pytest.mark.harness(seed_models=False, allow_private_hosts=False)

Json = dict[str, Any]
REPORT = {"valid", "errors", "problems", "warnings", "workflow"}


def with_agent(line: str) -> str:
    return brief().replace("    backstory:", f"    {line}\n    backstory:")


def with_task(line: str) -> str:
    return brief().replace("    agent: writer", f"    agent: writer\n    {line}")


BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
MALICIOUS = {
    "python tag": "!!python/object/apply:os.system ['touch /tmp/pwned']",
    "python tag inside": with_agent("goal2: !!python/object/apply:os.system ['id']"),
    "python name": with_agent("tools: [!!python/name:os.system '']"),
    "alias bomb": BOMB,
    "merge bomb": "a: &a {x: 1}\n" + "b: {<<: [" + ", ".join(["*a"] * 5000) + "]}\n",
    "a contains itself": "a: &a [*a]\n",
    "deep": "[" * 50_000,
    "deep mapping": "".join(f"{' ' * n}a:\n" for n in range(500)),
    "import as a tool": with_agent("tools: ['os:system']"),
    "a class as a tool": with_agent("tools: [{python: os.system}]"),
    "a callback": with_task("callback: os.system"),
    "code execution": with_agent("allow_code_execution: true"),
    "a python model": with_task("output_pydantic: my.module.Model"),
    "an MCP command": with_agent("mcps: [{command: sh, args: [-c, id]}]"),
    "an MCP address": with_agent("mcps: ['https://evil.example/mcp']"),
    "a base URL": with_agent("llm: {model: gpt-4o, base_url: 'http://169.254.169.254/'}"),
    "a key": with_agent("llm: {model: gpt-4o, api_key: sk-1}"),
    "a file as knowledge": with_agent("knowledge_sources: [{file: /etc/passwd}]"),
    "a path as output": with_task("output_file: ../../etc/passwd"),
    "a condition": with_task("type: ConditionalTask\n    condition: {python: os.getcwd}"),
}
HARMLESS = {
    "attribute placeholder": "{x.__class__}",
    "number placeholder": "{0}",
    "template": "{{7*7}}",
    "template code": "{% for x in ().__class__.__base__.__subclasses__() %}",
    "shell": "$(id) `id` ${HOME}",
}


async def validate(client: httpx.AsyncClient, text: str, **more: Any) -> Json:
    response = await client.post("/yaml/validate", json={"yamlContent": text}, **more)
    assert response.status_code == 200, response.text
    report: Json = response.json()
    assert set(report) == REPORT
    return report


class TestAuthorization:
    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("POST", "/yaml/validate", {"yamlContent": "!!python/object/apply:os.system [id]"}),
            ("POST", "/yaml/convert", {"yamlContent": brief(), "to": "list"}),
            ("GET", "/yaml/schema", None),
        ],
    )
    async def test_requires_a_token(
        self, client: httpx.AsyncClient, method: str, path: str, body: Json | None
    ) -> None:
        anonymous = await client.request(method, path, json=body, headers=ANONYMOUS)
        reader = await client.request(method, path, json=body, headers=AS_DOCUMENT_READER)

        assert anonymous.status_code == 401
        assert reader.status_code == 200


class TestValidate:
    async def test_returns_the_definition(self, client: httpx.AsyncClient) -> None:
        report = await validate(client, brief())

        assert (report["valid"], report["errors"], report["problems"]) == (True, [], [])
        assert report["workflow"]["agents"][0]["key"] == "writer"

    async def test_reports_problems_with_their_location(self, client: httpx.AsyncClient) -> None:
        report = await validate(client, brief().replace("agent: writer", "agent: wirter"))

        assert (report["valid"], report["workflow"]) == (False, None)
        (problem,) = report["problems"]
        assert (problem["line"], problem["column"]) == (12, 12)
        assert problem["path"] == "tasks.brief.agent"
        assert problem["suggestion"] == "writer"
        assert report["errors"] == [f"Line 12: {problem['message']}"]

    async def test_accepts_snake_case(self, client: httpx.AsyncClient) -> None:
        response = await client.post("/yaml/validate", json={"yaml_content": brief()})

        assert response.json()["valid"] is True

    @pytest.mark.parametrize("body", [{}, {"yamlContent": 1}, {"yamlContent": "", "file": "/etc/passwd"}, []])
    async def test_invalid_body(self, client: httpx.AsyncClient, body: Any) -> None:
        assert (await client.post("/yaml/validate", json=body)).status_code == 422

    @pytest.mark.parametrize("text", ["", "\n", "- a\n", "a: b", "\0", "name: x\n" + "#" * 1_048_576])
    async def test_any_text_gets_a_report(self, client: httpx.AsyncClient, text: str) -> None:
        report = await validate(client, text)

        assert report["valid"] is False
        assert report["problems"]

    async def test_warns_of_unregistered_models(self, client: httpx.AsyncClient, sessions: Sessions) -> None:
        async with unit_of_work(sessions) as session:
            session.add(
                ProviderRow(id="prov_1", workspace_id=BUILTIN_WORKSPACE, name="OpenAI", type="openai")
            )
            await session.flush()
            session.add(
                ModelRow(
                    id="mdl_1",
                    workspace_id=BUILTIN_WORKSPACE,
                    provider_id="prov_1",
                    name="gpt-4o",
                    type="llm",
                )
            )
        text = with_agent("llm: gpt-4o")

        mine = await validate(client, text)
        theirs = await validate(client, text, headers=AS_STRANGER)

        assert [one["code"] for one in mine["warnings"]] == []
        assert [one["code"] for one in theirs["warnings"]] == ["model-not-registered"]
        assert mine["valid"] is theirs["valid"] is True

    async def test_checks_tool_names(self, client: httpx.AsyncClient) -> None:
        assert (await validate(client, with_agent("tools: [calculator]")))["valid"] is True
        unknown = await validate(client, with_agent("tools: [calcluator]"))
        assert [(one["code"], one["suggestion"]) for one in unknown["problems"]] == [
            ("unknown-tool", "calculator")
        ]

    async def test_rejects_stored_secrets(self, client: httpx.AsyncClient, container: Container) -> None:
        container.mask.add("sk-live-0123456789abcdef")

        report = await validate(client, brief(goal="sk-live-0123456789abcdef"))

        assert (report["valid"], report["workflow"]) == (False, None)
        assert [one["code"] for one in report["problems"]] == ["secret-in-document"]
        assert "sk-live" not in json.dumps(report)

    async def test_validates_in_a_thread(
        self, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        readers: list[threading.Thread] = []

        def spied(*arguments: Any) -> CheckedDocument:
            readers.append(threading.current_thread())
            return check_document(*arguments)

        monkeypatch.setattr(service, "check_document", spied)

        await validate(client, brief())

        assert [reader is threading.current_thread() for reader in readers] == [False]


class TestMaliciousDocuments:
    @pytest.mark.parametrize("case", MALICIOUS)
    async def test_are_reported_without_side_effects(self, client: httpx.AsyncClient, case: str) -> None:
        await validate(client, MALICIOUS[case])  # loads modules that the first request needs

        with record_audit_events(PROCESS_EVENTS, NETWORK_EVENTS) as seen:
            report = await validate(client, MALICIOUS[case])

        assert (report["valid"], report["workflow"]) == (False, None)
        assert all(problem["line"] > 0 for problem in report["problems"])
        assert seen == []

    @pytest.mark.parametrize("case", HARMLESS)
    async def test_harmless_placeholders_stay_text(self, client: httpx.AsyncClient, case: str) -> None:
        report = await validate(
            client, with_agent(f"goal: '{HARMLESS[case]}'").replace("goal: Write a brief", "")
        )

        goal = report["workflow"] and report["workflow"]["agents"][0]["goal"]
        assert goal in (None, HARMLESS[case])

    @pytest.mark.parametrize("case", [*MALICIOUS, *HARMLESS])
    def test_parsing_has_no_side_effects(self, case: str) -> None:
        text = MALICIOUS.get(case) or brief(goal=json.dumps(HARMLESS.get(case)))
        checked(text)

        with record_audit_events(CODE_EVENTS, FILE_EVENTS, PROCESS_EVENTS, NETWORK_EVENTS) as seen:
            checked(text)

        assert seen == []


class TestSchema:
    async def test_is_a_json_schema_for_valid_documents(self, client: httpx.AsyncClient) -> None:
        response = await client.get("/yaml/schema")

        schema = response.json()
        Draft202012Validator.check_schema(schema)
        assert response.headers["content-type"] == "application/schema+json"
        assert list(Draft202012Validator(schema).iter_errors(pyyaml.safe_load(brief()))) == []
        assert list(Draft202012Validator(schema).iter_errors({"agents": {}, "nonsense": 1})) != []

    async def test_if_none_match(self, client: httpx.AsyncClient) -> None:
        etag = (await client.get("/yaml/schema")).headers["ETag"]

        same = await client.get("/yaml/schema", headers={"If-None-Match": etag})
        listed = await client.get("/yaml/schema", headers={"If-None-Match": f'"x", W/{etag}'})
        other = await client.get("/yaml/schema", headers={"If-None-Match": '"x"'})

        assert (same.status_code, same.content, same.headers["ETag"]) == (304, b"", etag)
        assert (listed.status_code, other.status_code) == (304, 200)


class TestConvert:
    @pytest.mark.parametrize(("to", "kind"), [("mapping", dict), ("list", list)])
    async def test_keeps_the_definition(self, client: httpx.AsyncClient, to: str, kind: type) -> None:
        response = await client.post("/yaml/convert", json={"yamlContent": brief(), "to": to})

        text = response.json()["yamlContent"]
        assert isinstance(pyyaml.safe_load(text)["agents"], kind)
        assert checked(text).definition == checked(brief()).definition

    async def test_rejects_a_document_with_problems(self, client: httpx.AsyncClient) -> None:
        response = await client.post("/yaml/convert", json={"yamlContent": "name: x", "to": "list"})

        assert response.status_code == 422
        assert response.json()["errors"][0]["pointer"] == "/yamlContent"

    @pytest.mark.parametrize("to", ["python", "", None])
    async def test_unknown_format(self, client: httpx.AsyncClient, to: Any) -> None:
        response = await client.post("/yaml/convert", json={"yamlContent": brief(), "to": to})

        assert response.status_code == 422


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.text(st.characters(codec="utf-8"), max_size=300) | st.sampled_from(list(MALICIOUS.values())), st.data()
)
def test_any_text_gets_a_report(text: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(brief())))
    for attempt in (text, brief()[:at] + text + brief()[at:]):
        document = checked(attempt)

        assert (document.definition is None) == bool(document.problems)
        assert all(problem.message for problem in document.problems)
