"""The connections of an attempt on their way to the database: bounded, none lost, none counted twice."""

from typing import Any

from crewai_runner.core.clock import now
from crewai_runner.domain.run_connection import (
    ConnectionResult,
    NumberedConnection,
    RunConnection,
    RunConnectionPurpose,
)
from crewai_runner.features.executions.connection_ledger import (
    MAX_ENTRIES,
    MAX_SUMS,
    OTHER_HOSTS,
    ConnectionLedger,
)


def connection(host: str = "example.com", **changes: Any) -> RunConnection:
    made: dict[str, Any] = {"sent_bytes": 10, "received_bytes": 20, "milliseconds": 3, "name": "http_get"}
    return RunConnection(now(), host, 443, RunConnectionPurpose.TOOL, **made | changes)


def fill(ledger: ConnectionLedger) -> None:
    for _ in range(MAX_ENTRIES):
        ledger.add(connection("first.example.com"))
    ledger.take()


class TestConnectionLedger:
    def test_entries_are_numbered_and_taken_once(self) -> None:
        ledger = ConnectionLedger()
        first, second = connection("a.example.com"), connection("b.example.com", agent="writer")
        ledger.add(first)
        ledger.add(second)

        assert ledger.take() == [NumberedConnection(1, first), NumberedConnection(2, second)]
        assert ledger.take() == []

    def test_later_requests_are_added_up_under_one_number(self) -> None:
        ledger = ConnectionLedger()
        fill(ledger)
        ledger.add(connection())
        before = ledger.take()
        ledger.add(connection())
        ledger.add(connection(result=ConnectionResult.REFUSED, reason="No."))

        total, refused = ledger.take()

        assert [one.number for one in before] == [total.number] == [MAX_ENTRIES + 1]
        assert total.connection.requests == 2
        assert (total.connection.sent_bytes, total.connection.received_bytes) == (20, 40)
        assert (refused.connection.requests, refused.connection.reason) == (1, "No.")

    def test_many_hosts_stay_bounded_and_no_byte_is_lost(self) -> None:
        ledger = ConnectionLedger()
        fill(ledger)
        for number in range(3 * MAX_SUMS):
            ledger.add(connection(f"h{number}.example.com"))

        taken = ledger.take()

        assert len(taken) == MAX_SUMS + 1
        assert taken[-1].connection.host == OTHER_HOSTS
        assert sum(one.connection.sent_bytes for one in taken) == 3 * MAX_SUMS * 10
        assert len({one.number for one in taken}) == len(taken)
