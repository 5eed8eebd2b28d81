"""Spans as CrewAI sends them, and requests of an execution elsewhere."""

import json
import secrets
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import httpx
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span as ProtobufSpan

from crewai_runner.core.clock import now

BASE = "http://test/crewai_plus/api/v1"
COLLECTOR = f"{BASE}/tracing/collector/v1/traces"
TASK_ID = "e52a8429-e7c0-4cdd-9121-474090d4d7fa"
TASK = "task-e52a8429"
Json = dict[str, Any]


def make_span(
    name: str,
    operation: str,
    *,
    span_id: bytes | None = None,
    parent: bytes = b"",
    start: float = 0.0,
    seconds: float = 1.0,
    error: str | None = None,
    **attributes: Any,
) -> ProtobufSpan:
    """A span that started `start` seconds after a fixed moment; `__` in names of attributes is a dot."""
    begun = now().timestamp() - 60 + start
    span = ProtobufSpan(
        trace_id=b"t" * 16,
        span_id=span_id or secrets.token_bytes(8),
        parent_span_id=parent,
        name=name,
        start_time_unix_nano=int(begun * 1e9),
        end_time_unix_nano=int((begun + seconds) * 1e9),
    )
    if error is not None:
        span.status.code, span.status.message = 2, error
    attributes |= {"gen_ai__operation__name": operation}
    for key, value in attributes.items():
        pair = span.attributes.add(key=key.replace("__", "."))
        if isinstance(value, int):
            pair.value.int_value = value
        else:
            pair.value.string_value = value
    return span


def make_crew(*, error: str | None = None) -> list[ProtobufSpan]:
    """The spans of one crew with one task, a model call and a tool, each before its parent."""
    crew, task, agent = (secrets.token_bytes(8) for _ in range(3))
    messages = json.dumps([{"role": "user", "parts": [{"type": "text", "content": "Find tea"}]}])
    answer = json.dumps([{"role": "assistant", "parts": [{"type": "text", "content": "Facts."}]}])
    role = {"crewai__agent__role": "Researcher"}
    return [
        make_span(
            "call llm",
            "chat",
            parent=agent,
            start=3,
            crewai__task__id=TASK_ID,
            gen_ai__response__model="gpt-4o",
            gen_ai__input__messages=messages,
            gen_ai__output__messages=answer,
            gen_ai__usage__input_tokens=41,
            gen_ai__usage__output_tokens=2,
            unknown__attribute="dropped-attribute",
            **role,
        ),
        make_span(
            "call tool",
            "execute_tool",
            parent=agent,
            start=4.5,
            gen_ai__tool__name="search",
            gen_ai__tool__call__arguments='{"q": "tea"}',
            gen_ai__tool__call__result="Leaves.",
            **role,
        ),
        make_span("execute agent", "invoke_agent", span_id=agent, parent=task, start=2, seconds=4, **role),
        make_span(
            "execute task",
            "execute_task",
            span_id=task,
            parent=crew,
            start=1,
            seconds=6,
            crewai__task__id=TASK_ID,
            crewai__task__name="research",
            crewai__task__description="Find tea",
            crewai__task__output="Facts.",
        ),
        make_span(
            "execute crew",
            "invoke_workflow",
            span_id=crew,
            seconds=8,
            error=error,
            gen_ai__workflow__name="My crew",
            crewai__crew__inputs='{"topic": "tea"}',
            crewai__crew__output="Facts.",
        ),
    ]


def dump(spans: Sequence[ProtobufSpan]) -> bytes:
    request = ExportTraceServiceRequest()
    request.resource_spans.add().scope_spans.add().spans.extend(spans)
    return request.SerializeToString()


async def create_grant(client: httpx.AsyncClient, execution: str | None = None, **options: Any) -> Json:
    body = {"execution_uuid": execution or str(uuid4()), "include_trace_url": True}
    response = await client.post(f"{BASE}/tracing/grants", json=body, **options)
    assert response.status_code == HTTPStatus.OK, response.text
    granted: Json = response.json()
    return granted


async def send(
    client: httpx.AsyncClient, token: str, body: bytes, headers: Mapping[str, str] | None = None
) -> httpx.Response:
    given = {"Authorization": f"Bearer {token}", "Content-Type": "application/x-protobuf"}
    return await client.post(COLLECTOR, content=body, headers=given | dict(headers or {}))


async def only_run(client: httpx.AsyncClient) -> Json:
    [summary] = (await client.get("/runs")).json()["runs"]
    found: Json = (await client.get(f"/runs/{summary['id']}")).json()["run"]
    assert summary["external"] is found["external"] is True
    return found
