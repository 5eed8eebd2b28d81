"""Reads the spans of an OTLP request, with bounds on everything that a client chooses."""

import zlib
from datetime import UTC, datetime, timedelta

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as ProtobufSpan
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from crewai_runner.core.clock import now
from crewai_runner.features.crewai_plus.errors import SpansUnreadable, TooManySpans
from crewai_runner.features.crewai_plus.spans import Span, Value

MAX_BODY_BYTES = 3_072_000
MAX_SPANS = 200
MAX_TEXT_LENGTH = 256_000
READ_ATTRIBUTES = frozenset(
    {
        "crewai.execution_uuid",
        "crewai.agent.role",
        "crewai.crew.inputs",
        "crewai.crew.name",
        "crewai.crew.output",
        "crewai.flow.name",
        "crewai.flow.result",
        "crewai.task.description",
        "crewai.task.expected_output",
        "crewai.task.id",
        "crewai.task.name",
        "crewai.task.output",
        "gen_ai.agent.name",
        "gen_ai.completion",
        "gen_ai.input.messages",
        "gen_ai.operation.name",
        "gen_ai.output.messages",
        "gen_ai.prompt",
        "gen_ai.request.model",
        "gen_ai.response.finish_reasons",
        "gen_ai.response.model",
        "gen_ai.tool.call.arguments",
        "gen_ai.tool.call.result",
        "gen_ai.tool.name",
        "gen_ai.usage.cache_read.input_tokens",
        "gen_ai.usage.completion_tokens",
        "gen_ai.usage.input_tokens",
        "gen_ai.usage.output_tokens",
        "gen_ai.usage.prompt_tokens",
        "gen_ai.workflow.name",
    }
)
"""The attributes that are read, with old and new names; the others are dropped."""
MAX_AGE = timedelta(days=31)


def decompress(body: bytes) -> bytes:
    """Return the content of a gzip body. Raises SpansUnreadable, TooManySpans beyond the limit."""
    reader = zlib.decompressobj(wbits=31)
    try:
        content = reader.decompress(body, MAX_BODY_BYTES + 1)
    except zlib.error as error:
        raise SpansUnreadable("The body is not valid gzip.") from error
    if len(content) > MAX_BODY_BYTES:
        raise TooManySpans(f"The spans take more than {MAX_BODY_BYTES:,} bytes; send fewer at once.")
    return content


def read_spans(body: bytes) -> list[Span]:
    """Return the spans of an `ExportTraceServiceRequest`. Raises SpansUnreadable, TooManySpans."""
    try:
        request = ExportTraceServiceRequest.FromString(body)
    except DecodeError as error:
        raise SpansUnreadable("The body is not an OTLP ExportTraceServiceRequest in protobuf.") from error
    found = [span for of in request.resource_spans for scope in of.scope_spans for span in scope.spans]
    if len(found) > MAX_SPANS:
        raise TooManySpans(f"A request may contain {MAX_SPANS} spans; this one has {len(found):,}.")
    return [_read_span(span) for span in found]


def _read_span(span: ProtobufSpan) -> Span:
    if len(span.span_id) != 8 or len(span.parent_span_id) not in (0, 8):
        raise SpansUnreadable("A span id must have 8 bytes.")
    started_at = _read_time(span.start_time_unix_nano)
    attributes: dict[str, Value] = {}
    for pair in span.attributes:
        if pair.key in READ_ATTRIBUTES and (value := _read_value(pair.value)) is not None:
            attributes[pair.key] = value
    return Span(
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        name=span.name[:200],
        started_at=started_at,
        ended_at=max(started_at, _read_time(span.end_time_unix_nano)),
        is_error=span.status.code == Status.STATUS_CODE_ERROR,
        message=span.status.message[:4000],
        attributes=attributes,
    )


def _read_value(value: AnyValue) -> Value | None:
    match value.WhichOneof("value"):
        case "string_value":
            return value.string_value[:MAX_TEXT_LENGTH]
        case "int_value":
            return value.int_value
        case "double_value":
            return value.double_value
        case "bool_value":
            return value.bool_value
        case "array_value":
            texts = [item.string_value[:200] for item in value.array_value.values[:20]]
            return ", ".join(text for text in texts if text)
    return None


def _read_time(nanoseconds: int) -> datetime:
    """Return a time in milliseconds; the present for one that is not recent."""
    present = now()
    try:
        moment = datetime.fromtimestamp(nanoseconds // 1_000_000 / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return present
    return moment if abs(present - moment) < MAX_AGE else present
