"""API schemas of a run's connections."""

from datetime import datetime

from pydantic import Field

from crewai_runner.core.api_model import ApiModel
from crewai_runner.domain.run_connection import ConnectionResult, RunConnectionPurpose


class RunConnectionRead(ApiModel):
    """One request of a run to another server, or one tunnel of a project's code."""

    attempt: int = Field(description="The fencing token of the attempt: it rises with each.")
    number: int
    at: datetime = Field(description="When it ended.")
    host: str
    port: int
    purpose: RunConnectionPurpose
    name: str = Field(description="Of the provider, tool or MCP server.")
    agent: str | None
    task_key: str | None
    sent_bytes: int = Field(description="Of HTTP, headers included, without what TLS adds.")
    received_bytes: int
    milliseconds: int
    result: ConnectionResult = Field(description="`failed`: allowed, but no complete answer arrived.")
    reason: str | None = Field(description="Why it failed or was refused, and what allows it.")
    requests: int = Field(description="More than 1: the sum of such requests, after the first 500.")


class HostTraffic(ApiModel):
    """The requests of a run to one host for one purpose with one result."""

    host: str
    port: int
    purpose: RunConnectionPurpose
    name: str
    result: ConnectionResult
    requests: int
    sent_bytes: int
    received_bytes: int
    milliseconds: int
    reason: str | None


class RunTraffic(ApiModel):
    """All connections of a run, added up."""

    requests: int
    refused: int
    sent_bytes: int
    received_bytes: int


class RunConnectionPage(ApiModel):
    connections: list[RunConnectionRead] = Field(description="In the order in which they ended.")
    hosts: list[HostTraffic] = Field(
        description="All connections of the run by host, refused ones first; at most 500."
    )
    total: RunTraffic
    next_cursor: str | None
