"""Connections of a run: warnings of refused hosts, and what the server's log says."""

import pytest
from structlog.testing import capture_logs

from crewai_runner.core.secret_mask import TextMask
from crewai_runner.executor.projects.egress_ledger import MAX_HOSTS, MAX_REFUSED_HOSTS, EgressLedger
from crewai_runner.executor.projects.gateway.remote_references import RemoteReference
from crewai_runner.executor.projects.sandbox.egress_proxy import EgressRecord, Refusal


def record(host: str, refusal: Refusal | None = None) -> EgressRecord:
    return EgressRecord(host, 443, refusal, sent=10, received=20, seconds=0.1)


@pytest.fixture
def warnings() -> list[str]:
    return []


@pytest.fixture
def hosts() -> list[str | None]:
    return []


@pytest.fixture
def ledger(warnings: list[str], hosts: list[str | None]) -> EgressLedger:
    def warn(_code: str, text: str, host: str | None) -> None:
        warnings.append(text)
        hosts.append(host)

    return EgressLedger("run_1", warn, TextMask(["canary-value"]))


class TestEgressLedger:
    def test_refused_host_is_named_once_with_what_to_do(
        self, ledger: EgressLedger, warnings: list[str], hosts: list[str | None]
    ) -> None:
        for _ in range(3):
            ledger.note(record("api.example.com", Refusal.HOST_NOT_ALLOWED))
        ledger.note(record("intern", Refusal.ADDRESS_REFUSED))
        ledger.note(record("typo.example.com", Refusal.HOST_UNRESOLVED))
        ledger.note(record("fine.example.com"))

        assert len(warnings) == 2
        assert "api.example.com:443" in warnings[0]
        assert "add it to the project's allowed hosts" in warnings[0]
        assert "TOOL_PRIVATE_HOSTS" in warnings[1]
        assert hosts == ["api.example.com", None]

    def test_warnings_and_hosts_are_bounded(self, ledger: EgressLedger, warnings: list[str]) -> None:
        for number in range(MAX_HOSTS + 50):
            ledger.note(record(f"h{number}", Refusal.HOST_NOT_ALLOWED))

        assert len(warnings) == MAX_REFUSED_HOSTS + 1
        assert "further hosts" in warnings[-1]
        with capture_logs() as lines:
            ledger.write_log()
        assert len(lines) == MAX_HOSTS + 1
        assert (lines[-1]["host"], lines[-1]["refused"]) == ("other", 50)

    def test_secret_in_the_name_of_a_host(
        self, ledger: EgressLedger, warnings: list[str], hosts: list[str | None]
    ) -> None:
        ledger.note(record("canary-value.example.com", Refusal.HOST_NOT_ALLOWED))

        with capture_logs() as lines:
            ledger.write_log()
        assert "canary" not in f"{warnings} {lines}"
        assert ".example.com:443" in warnings[0]
        assert hosts == [None]

    def test_addresses_that_providers_open(self, ledger: EgressLedger, warnings: list[str]) -> None:
        ledger.note_reference(RemoteReference("image_url", "canary-value.example.com", 443, 90), False)
        ledger.note_reference(RemoteReference("image_url", "fine.example.com", 443, 90), True)
        ledger.note_reference(RemoteReference("image_url", None), False)

        with capture_logs() as lines:
            ledger.write_log()
        assert len(warnings) == 1
        assert "canary" not in f"{warnings} {lines}"
        assert [(line["refused"], line["sent_bytes"]) for line in lines] == [(1, 0), (0, 90)]

    def test_totals(self, ledger: EgressLedger) -> None:
        ledger.note(record("a"))
        ledger.note(record("a"))

        with capture_logs() as lines:
            ledger.write_log()
        [line] = lines
        assert (line["run_id"], line["host"], line["connections"]) == ("run_1", "a:443", 2)
        assert (line["sent_bytes"], line["received_bytes"]) == (20, 40)
