"""What holds for every tool that speaks HTTP, against a scripted service of its kind."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from pydantic import SecretStr

from crewai_runner.core.secret_mask import MASK
from crewai_runner.domain.openapi import ApiArgument, ArgumentPlace
from crewai_runner.executor.tool_binding import ToolBinding, ToolKind
from crewai_runner.executor.tools.builtin import bind_builtin
from crewai_runner.executor.tools.runner import ToolCallFailed
from tests.support.scripted_service import Reply, ScriptedService
from tests.support.tool_calls import NOWHERE, OTHER_SECRET, call, failure_of

SECRET = "canary-token-83hf72kd01"
HOST = {"kind": "http", "auth": "bearer", "header": None, "username": None, "methods": ["GET", "POST"]}
PAGE = (
    f"<html><title>Tea</title><body><article><p>{'Tea is drunk hot. ' * 20}SAID</p></article></body></html>"
)


@dataclass(frozen=True)
class ToolCase:
    """A tool whose service is at a URL. `reply` makes an answer with a text in it."""

    name: str
    bind: Callable[[str], ToolBinding]
    arguments: Callable[[str, str], dict[str, Any]]
    """Of the URL of the service, and a text to send."""
    wrong: dict[str, Any]
    reply: Callable[[str], Reply]
    shows_answer: bool = True
    reports_status: bool = False
    """Whether a status of failure is a result, not a failed call."""
    cuts_huge_answers: bool = False
    has_own_secret: bool = False
    """Whether the secret is where `bind` has put it."""


def connect(tool: str, secret: str | None = None, **options: Any) -> Callable[[str], ToolBinding]:
    def bind(url: str) -> ToolBinding:
        connections = {"Team": {**HOST, "base_url": url, **options}}
        stored = SecretStr(secret or f"{url}/services/T0/B0/{SECRET}")
        return replace(bind_builtin(tool), config={"connections": connections}, secrets={"Team": stored})

    return bind


def bind_api(url: str) -> ToolBinding:
    """A tool of an OpenAPI document: POST with a body, and a bearer token."""
    sent = ApiArgument(argument="body", name="body", place=ArgumentPlace.BODY, explode=False, is_deep=False)
    said = {"type": "object", "properties": {"said": {"type": "string"}}, "required": ["said"]}
    return ToolBinding(
        name="api:notes/add",
        model_name="api:notes/add",
        kind=ToolKind.HTTP_API,
        title="add",
        description="Adds a note.",
        parameters={"type": "object", "properties": {"body": said}, "required": ["body"]},
        config={
            "api": "Notes",
            "base_url": url,
            "method": "POST",
            "path": "/notes",
            "arguments": [sent.model_dump(mode="json", by_alias=False)],
            "result_path": None,
            "auth": HOST,
        },
        secrets={"secret": SecretStr(SECRET)},
    )


def page(said: str) -> Reply:
    return Reply(PAGE.replace("SAID", said).encode(), content_type="text/html; charset=utf-8")


CASES = [
    ToolCase(
        "read_page",
        lambda _url: bind_builtin("read_page"),
        lambda url, text: {"url": f"{url}/page?q={text}"},
        {"url": 7},
        page,
        cuts_huge_answers=True,
    ),
    ToolCase(
        "http_get",
        lambda _url: bind_builtin("http_get"),
        lambda url, text: {"url": f"{url}/page?q={text}"},
        {},
        page,
        cuts_huge_answers=True,
    ),
    ToolCase(
        "http_request",
        connect("http_request", SECRET),
        lambda _url, text: {"method": "POST", "path": "items", "body": f'{{"said": "{text}"}}'},
        {"method": "TRACE"},
        lambda said: Reply({"said": said}),
        reports_status=True,
    ),
    ToolCase(
        "post_message",
        connect("post_message", kind="slack"),
        lambda _url, text: {"text": text},
        {"text": ""},
        lambda said: Reply(said.encode(), content_type="text/plain"),
        shows_answer=False,
        has_own_secret=True,
    ),
    ToolCase(
        "api:notes/add",
        bind_api,
        lambda _url, text: {"body": {"said": text}},
        {"body": {"said": 7}},
        lambda said: Reply({"said": said}),
        reports_status=True,
        has_own_secret=True,
    ),
]
every_tool = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


@every_tool
class TestEveryTool:
    async def test_answers(self, case: ToolCase) -> None:
        with ScriptedService(case.reply("Fine.")) as service:
            result = await call(case.bind(service.url), case.arguments(service.url, "tea"))

        assert ("Fine." in result) == case.shows_answer
        [request] = service.calls
        assert "tea" in request.target + request.body.decode()

    async def test_tells_the_model_what_is_wrong_with_arguments(self, case: ToolCase) -> None:
        with ScriptedService(case.reply("Fine.")) as service:
            message = await failure_of(case.bind(service.url), case.wrong)

        assert message.startswith(f"The arguments of {case.name} are not valid: ")
        assert "The arguments of this tool are: " in message
        assert service.calls == []

    async def test_ends_in_time(self, case: ToolCase) -> None:
        with ScriptedService(Reply(hangs=True)) as service:
            binding = replace(case.bind(service.url), timeout_seconds=0.5)
            message = await failure_of(binding, case.arguments(service.url, "tea"))
            service.wait_for_hang_ups(1)

        assert message == f"{case.name} did not answer within 0.5 seconds."

    async def test_huge_answer(self, case: ToolCase) -> None:
        reply = case.reply("Fine.")
        huge = reply.data + b"<p>more</p>" * 300_000
        with ScriptedService(replace(reply, body=huge)) as service:
            running = call(case.bind(service.url), case.arguments(service.url, "tea"))
            if case.cuts_huge_answers:
                assert len(await running) < 25_000
                return
            with pytest.raises(ToolCallFailed, match="more than 2 MB"):
                await running

    async def test_too_many_requests(self, case: ToolCase) -> None:
        with ScriptedService(replace(case.reply("No more."), status=429)) as service:
            binding, arguments = case.bind(service.url), case.arguments(service.url, "tea")
            if case.reports_status:
                assert (await call(binding, arguments)).startswith("HTTP 429")
            else:
                assert "no more requests for now (HTTP 429)" in await failure_of(binding, arguments)

        assert len(service.calls) == 1

    async def test_a_stop_cuts_the_call(self, case: ToolCase) -> None:
        with ScriptedService(Reply(hangs=True)) as service:
            running = asyncio.create_task(call(case.bind(service.url), case.arguments(service.url, "tea")))
            await asyncio.to_thread(service.wait_for_calls, 1)
            stopped_at = time.monotonic()
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            await asyncio.to_thread(service.wait_for_hang_ups, 1)

        assert time.monotonic() - stopped_at < 1

    async def test_masks_secrets_in_both_directions(self, case: ToolCase) -> None:
        with ScriptedService(case.reply(f"{SECRET} and {OTHER_SECRET}")) as service:
            binding = case.bind(service.url)
            if not case.has_own_secret:
                binding = replace(binding, secrets={"Team": SecretStr(SECRET)})
            result = await call(binding, case.arguments(service.url, OTHER_SECRET))

        [request] = service.calls
        assert OTHER_SECRET not in request.target + request.body.decode()
        assert OTHER_SECRET not in result
        assert SECRET not in result
        assert (MASK in result) == case.shows_answer

    async def test_obeys_the_policy_for_private_addresses(self, case: ToolCase) -> None:
        with ScriptedService(case.reply("Fine.")) as service:
            message = await failure_of(case.bind(service.url), case.arguments(service.url, "tea"), NOWHERE)

        assert "private network" in message
        assert service.calls == []
