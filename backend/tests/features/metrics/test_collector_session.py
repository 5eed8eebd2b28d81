"""The answers of a trace collector are bounded."""

import gzip
from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace.export import SpanExportResult

from crewai_runner.features.metrics.collector_session import MAX_ANSWER_BYTES, collector_session
from tests.core.test_answer_limits import RawServer


@contextmanager
def serving(head: str, body: bytes = b"", repeated: bytes = b"") -> Iterator[str]:
    server = RawServer(head, body, repeated)
    try:
        yield server.url
    finally:
        server.close()


def test_endless_answer_is_cut() -> None:
    with serving("Content-Type: text/plain", repeated=b"x" * 65_536) as url:
        response = collector_session().post(url, data=b"spans", timeout=10)

    assert response.status_code == 200
    assert response.content == b"x" * MAX_ANSWER_BYTES


def test_compressed_answer_stays_compressed() -> None:
    bomb = gzip.compress(bytes(64 * 1024 * 1024))
    with serving(f"Content-Encoding: gzip\r\nContent-Length: {len(bomb)}", bomb) as url:
        response = collector_session().post(url, data=b"spans", timeout=10)

    assert response.content == bomb[:MAX_ANSWER_BYTES]


def test_exporter_uses_the_session() -> None:
    with serving("Content-Type: text/plain", repeated=b"x" * 65_536) as url:
        exporter = OTLPSpanExporter(url, timeout=10, session=collector_session())

        assert exporter.export([]) is SpanExportResult.SUCCESS
        exporter.shutdown()
