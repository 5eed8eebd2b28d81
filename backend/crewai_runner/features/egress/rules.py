"""Puts the connections of a run together from what is stored with its events. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from crewai_runner.domain.run_connection import ConnectionResult, RunConnection, parse_connections

Place = tuple[int, int]
"""A fencing token and the number of an entry in its attempt."""


def merge_documents(documents: Iterable[Any]) -> list[tuple[Place, RunConnection]]:
    """Return the entries in order; a later one replaces that with the same place."""
    found: dict[Place, RunConnection] = {}
    for document in documents:
        stored = parse_connections(document)
        for entry in stored.entries:
            found[stored.fencing_token, entry.number] = entry.connection
    return sorted(found.items(), key=lambda item: item[0])


def sum_by_host(connections: Iterable[RunConnection]) -> list[RunConnection]:
    """Return the sums by host, port, purpose, name and result: refused ones first, then by bytes."""
    sums: dict[object, RunConnection] = {}
    for made in connections:
        group = (made.host, made.port, made.purpose, made.name, made.result)
        total = sums.get(group)
        sums[group] = made if total is None else _add(total, made)
    return sorted(sums.values(), key=_rank)


def _rank(total: RunConnection) -> tuple[bool, int, str, int, str]:
    is_allowed = total.result is not ConnectionResult.REFUSED
    return is_allowed, -(total.sent_bytes + total.received_bytes), total.host, total.port, total.name


def _add(total: RunConnection, made: RunConnection) -> RunConnection:
    return replace(
        total,
        sent_bytes=total.sent_bytes + made.sent_bytes,
        received_bytes=total.received_bytes + made.received_bytes,
        milliseconds=total.milliseconds + made.milliseconds,
        requests=total.requests + made.requests,
        reason=made.reason or total.reason,
    )


def count_requests(connections: Sequence[RunConnection], *, only: ConnectionResult | None = None) -> int:
    return sum(made.requests for made in connections if only is None or made.result is only)
