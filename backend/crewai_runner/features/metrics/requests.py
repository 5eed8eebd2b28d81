"""What is counted of requests."""

from crewai_runner.features.metrics.instruments import ANSWER_BUCKETS, Instruments
from crewai_runner.features.metrics.labels import Children


class RequestMetrics:
    """What the middleware writes to."""

    def __init__(self, instruments: Instruments) -> None:
        self.total = Children(
            instruments.counter("http_requests", "Requests answered.", "method", "route", "status")
        )
        self.seconds = Children(
            instruments.histogram(
                "http_request_duration_seconds",
                "Time to the end of the answer; streams are left out.",
                ANSWER_BUCKETS,
                "method",
                "route",
            )
        )
        self.stream_start = Children(
            instruments.histogram(
                "http_stream_start_seconds", "Time until a stream begins.", ANSWER_BUCKETS, "route"
            )
        )
        self.readers = Children(instruments.gauge("stream_readers", "Streams open now.", "kind"))
        self.sse, self.websocket = self.readers("sse"), self.readers("websocket")
