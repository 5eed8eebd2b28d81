"""What one run may use of the gateway."""

from dataclasses import dataclass

MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class GatewayLimits:
    """Limits of one run's gateway: sizes in bytes, times in seconds."""

    max_connections: int = 128
    max_parallel_calls: int = 32
    """Further calls wait until one of these ends."""
    max_header_bytes: int = 64 * 1024
    max_body_bytes: int = 20 * MEGABYTE
    max_buffered_bytes: int = 64 * MEGABYTE
    """Of all request bodies that are being received."""
    max_json_values: int = 100_000
    idle_seconds: float = 300.0
    """Until the headers of a connection's next request are complete."""
    body_seconds: float = 60.0
    write_seconds: float = 60.0
    """For which a client may stop reading an answer."""
    connect_seconds: float = 15.0
    read_seconds: float = 600.0
    """For which a provider may send nothing, unless the model's settings have a timeout."""
    call_seconds: float = 1800.0
    """Of one call, however much the provider still sends."""
