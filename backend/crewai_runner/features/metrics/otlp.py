"""Spans over OTLP/HTTP to a collector. Imported only where OTLP_ENDPOINT is set.

The spans are handed to a batch processor of our own, past any `TracerProvider`: a provider obeys
OTEL_SDK_DISABLED, which keeps the engine's telemetry off in this very process, and nothing global is set.
"""

import asyncio
import threading
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from crewai_runner import __version__
from crewai_runner.core.clock import now
from crewai_runner.domain.committed_events import CommittedEvents
from crewai_runner.features.metrics.collector_session import collector_session
from crewai_runner.features.metrics.spans import RunSpan, SpanBuilder

PATH = "/v1/traces"
SEND_SECONDS = 5.0
CLOSE_SECONDS = 5.0
MOST_WAITING = 8192
"""Spans that wait for the collector; further ones are dropped."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)


class OtlpTraces:
    """A listener of commits whose spans go to a collector, from a thread, in batches."""

    def __init__(self, endpoint: str, *, role: str) -> None:
        silent = NoOpMeterProvider()
        exporter = OTLPSpanExporter(
            traces_url(endpoint), timeout=SEND_SECONDS, session=collector_session(), meter_provider=silent
        )
        self._batches = BatchSpanProcessor(exporter, max_queue_size=MOST_WAITING, meter_provider=silent)
        self._scope = InstrumentationScope("crewai_runner", __version__)
        # With what OTEL_RESOURCE_ATTRIBUTES adds.
        self._resource = Resource.create(
            {
                "service.name": "crewai-runner",
                "service.version": __version__,
                "service.instance.id": str(uuid.uuid4()),
                "crewai_runner.role": role,
            }
        )
        self._span_builder = SpanBuilder(self._send)

    def on_commit(self, batch: Sequence[CommittedEvents]) -> None:
        self._span_builder.on_commit(batch)

    def _send(self, span: RunSpan) -> None:
        self._batches.on_end(self._readable(span))

    def _readable(self, span: RunSpan) -> ReadableSpan:
        attributes = span.attributes if span.error is None else {**span.attributes, "error.type": span.error}
        return ReadableSpan(
            name=span.name,
            context=_context(span.trace_id, span.span_id),
            parent=None if span.parent_id is None else _context(span.trace_id, span.parent_id),
            resource=self._resource,
            attributes=attributes,
            kind=SpanKind.CLIENT if attributes.get("gen_ai.operation.name") == "chat" else SpanKind.INTERNAL,
            status=Status(StatusCode.UNSET if span.error is None else StatusCode.ERROR),
            start_time=_nanoseconds(span.began),
            end_time=_nanoseconds(span.ended or now()),
            instrumentation_scope=self._scope,
        )

    async def close(self) -> None:
        """Send what waits. Whoever does not answer in time is left alone with a daemon thread."""
        closing = threading.Thread(target=self._batches.shutdown, name="otlp-close", daemon=True)
        closing.start()
        await asyncio.to_thread(closing.join, CLOSE_SECONDS)


def traces_url(endpoint: str) -> str:
    """`http://collector:4318` means `http://collector:4318/v1/traces`, as in OTEL_EXPORTER_OTLP_ENDPOINT."""
    bare = endpoint.rstrip("/")
    return bare if bare.endswith(PATH) else bare + PATH


def _context(trace_id: int, span_id: int) -> SpanContext:
    return SpanContext(trace_id, span_id, is_remote=False, trace_flags=_SAMPLED)


def _nanoseconds(moment: datetime) -> int:
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000_000 + since.microseconds * 1000
