"""Counts the connections of one attempt by host, and warns of those that were refused."""

from collections.abc import Callable
from dataclasses import dataclass, field

from crewai_runner.core.clock import now
from crewai_runner.core.logging import get_logger
from crewai_runner.domain.run_connection import ConnectionResult, RunConnection, RunConnectionPurpose
from crewai_runner.executor.projects.gateway.remote_references import RemoteReference
from crewai_runner.executor.projects.sandbox.egress_proxy import EgressRecord, Refusal

log = get_logger(__name__)
MAX_REFUSED_HOSTS = 20
MAX_HOSTS = 100
_LIMIT_HINT = "the workspace lets runs contact only the hosts of models; an owner can change that"
_RESULTS = {
    None: ConnectionResult.ALLOWED,
    Refusal.HOST_NOT_ALLOWED: ConnectionResult.REFUSED,
    Refusal.ADDRESS_REFUSED: ConnectionResult.REFUSED,
    Refusal.HOST_UNRESOLVED: ConnectionResult.FAILED,
    Refusal.UNREACHABLE: ConnectionResult.FAILED,
}
_FAILURES = {
    Refusal.HOST_UNRESOLVED: "The host was not found.",
    Refusal.UNREACHABLE: "The host did not accept the connection.",
}
_HINTS = {
    Refusal.HOST_NOT_ALLOWED: "add it to the project's allowed hosts if the code may contact it",
    Refusal.ADDRESS_REFUSED: "its address is private; the setting TOOL_PRIVATE_HOSTS can permit it",
}


@dataclass(slots=True)
class _Traffic:
    connections: int = 0
    refused: int = 0
    sent: int = 0
    received: int = 0


@dataclass(slots=True)
class EgressLedger:
    """The connections of one attempt.

    `warn` receives a code, a text, and the host if it can be allowed.
    `mask` removes secrets that the code puts into the name of a host; names are in lower case.
    `note_connection` receives each connection for the ledger of the run. With `forbids_all` the workspace
    lets the code contact no host.
    """

    run_id: str
    warn: Callable[[str, str, str | None], None]
    mask: Callable[[str], str]
    note_connection: Callable[[RunConnection], None] = lambda _connection: None
    forbids_all: bool = False
    _hosts: dict[str, _Traffic] = field(default_factory=dict)
    _refused: set[str] = field(default_factory=set)

    def note(self, record: EgressRecord) -> None:
        """Count a connection, and warn of a refused host and port once."""
        self._count(record)
        refusal = record.refusal
        hint = self._find_hint(refusal)
        self.note_connection(
            RunConnection(
                at=now(),
                host=self.mask(record.host),
                port=record.port,
                purpose=RunConnectionPurpose.CODE,
                sent_bytes=record.sent,
                received_bytes=record.received,
                milliseconds=round(record.seconds * 1000),
                result=_RESULTS[refusal],
                reason=_FAILURES.get(refusal, hint) if refusal else None,
            )
        )

    def _count(self, record: EgressRecord) -> None:
        address = f"{record.host}:{record.port}"
        place = self.mask(address)
        key = place if place in self._hosts or len(self._hosts) < MAX_HOSTS else "other"
        traffic = self._hosts.setdefault(key, _Traffic())
        traffic.connections += 1
        traffic.refused += not record.is_allowed
        traffic.sent += record.sent
        traffic.received += record.received
        hint = self._find_hint(record.refusal)
        if hint and place not in self._refused and len(self._refused) <= MAX_REFUSED_HOSTS:
            self._refused.add(place)
            is_unlisted = record.refusal is Refusal.HOST_NOT_ALLOWED and not self.forbids_all
            can_be_allowed = is_unlisted and place == address
            self._warn_of(place, hint, record.host if can_be_allowed else None)

    def note_reference(self, reference: RemoteReference, is_allowed: bool) -> None:
        """Count an address that a provider opens for the code; its length is what the code sends."""
        if reference.host is None:
            return
        refusal = None if is_allowed else Refusal.HOST_NOT_ALLOWED
        sent = reference.length if is_allowed else 0
        self._count(EgressRecord(reference.host, reference.port, refusal, sent, received=0, seconds=0.0))

    def _find_hint(self, refusal: Refusal | None) -> str | None:
        if refusal is Refusal.HOST_NOT_ALLOWED and self.forbids_all:
            return _LIMIT_HINT
        return None if refusal is None else _HINTS.get(refusal)

    def write_log(self) -> None:
        """Write the connections and bytes of each host to the server's log."""
        for place, traffic in self._hosts.items():
            log.info(
                "projects.egress",
                run_id=self.run_id,
                host=place,
                connections=traffic.connections,
                refused=traffic.refused,
                sent_bytes=traffic.sent,
                received_bytes=traffic.received,
            )

    def _warn_of(self, place: str, hint: str, host: str | None) -> None:
        if len(self._refused) > MAX_REFUSED_HOSTS:
            text = "Connections to further hosts were refused; the server's log names them."
            self.warn("host-not-allowed", text, None)
        else:
            self.warn("host-not-allowed", f"A connection to {place} was refused: {hint}.", host)
