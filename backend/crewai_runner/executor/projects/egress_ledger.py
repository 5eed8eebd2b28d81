"""Counts the connections of one attempt by host, and warns of those that were refused."""

from collections.abc import Callable
from dataclasses import dataclass, field

from crewai_runner.core.logging import get_logger
from crewai_runner.executor.projects.gateway.remote_references import RemoteReference
from crewai_runner.executor.projects.sandbox.egress_proxy import EgressRecord, Refusal

log = get_logger(__name__)
MAX_REFUSED_HOSTS = 20
MAX_HOSTS = 100
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
    """

    run_id: str
    warn: Callable[[str, str, str | None], None]
    mask: Callable[[str], str]
    _hosts: dict[str, _Traffic] = field(default_factory=dict)
    _refused: set[str] = field(default_factory=set)

    def note(self, record: EgressRecord) -> None:
        """Count a connection; warn of a refused host and port once."""
        address = f"{record.host}:{record.port}"
        place = self.mask(address)
        key = place if place in self._hosts or len(self._hosts) < MAX_HOSTS else "other"
        traffic = self._hosts.setdefault(key, _Traffic())
        traffic.connections += 1
        traffic.refused += not record.is_allowed
        traffic.sent += record.sent
        traffic.received += record.received
        hint = None if record.refusal is None else _HINTS.get(record.refusal)
        if hint and place not in self._refused and len(self._refused) <= MAX_REFUSED_HOSTS:
            self._refused.add(place)
            can_be_allowed = record.refusal is Refusal.HOST_NOT_ALLOWED and place == address
            self._warn_of(place, hint, record.host if can_be_allowed else None)

    def note_reference(self, reference: RemoteReference, is_allowed: bool) -> None:
        """Count an address that a provider opens for the code; its length is what the code sends."""
        if reference.host is None:
            return
        refusal = None if is_allowed else Refusal.HOST_NOT_ALLOWED
        sent = reference.length if is_allowed else 0
        self.note(EgressRecord(reference.host, reference.port, refusal, sent, received=0, seconds=0.0))

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
