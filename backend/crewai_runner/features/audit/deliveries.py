"""Sends sealed rows to receivers outside of this server, in the order of their chain and at least once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from crewai_runner.core.clock import now
from crewai_runner.core.logging import get_logger
from crewai_runner.db.session import Sessions, unit_of_work
from crewai_runner.db.snapshot_reader import SnapshotReader
from crewai_runner.features.audit.receivers import NotReceived, Receiver
from crewai_runner.features.audit.repository import AuditDeliveryRepository, AuditListRepository

log = get_logger(__name__)
ROWS_AT_ONCE = 100
CLAIM_TIME = timedelta(minutes=1)
"""How long a process that was lost keeps a chain: longer than one request takes."""
RETRY_TIME = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class AuditDeliveries:
    """Several processes may send at once: each chain is claimed by one of them."""

    sessions: Sessions
    reader: SnapshotReader
    receivers: Sequence[Receiver]

    async def send_all(self) -> None:
        """Send what the receivers do not have yet. A new receiver gets everything that is kept."""
        for receiver in self.receivers:
            for chain in await self._list_behind(receiver):
                while await self._send_next(receiver, chain):
                    pass

    async def _list_behind(self, receiver: Receiver) -> Sequence[str]:
        return await self.reader.run(
            lambda connection: AuditListRepository(connection).list_behind(receiver.name)
        )

    async def _send_next(self, receiver: Receiver, chain: str) -> bool:
        """Send the next rows of a chain; return whether more may follow at once."""
        async with unit_of_work(self.sessions) as session:
            deliveries = AuditDeliveryRepository(session)
            after = await deliveries.claim(receiver.name, chain, now(), now() + CLAIM_TIME)
        if after is None:
            return False
        start = after
        rows = await self.reader.run(
            lambda connection: AuditListRepository(connection).list_sealed(chain, start, ROWS_AT_ONCE)
        )
        delivered, next_at = after, None
        try:
            if rows:
                await receiver.send(rows)
                delivered = rows[-1].seq or after
        except NotReceived as error:
            next_at = now() + RETRY_TIME
            log.warning("audit.not_delivered", receiver=receiver.name, reason=str(error))
        async with unit_of_work(self.sessions) as session:
            await AuditDeliveryRepository(session).release(receiver.name, chain, delivered, next_at)
        return next_at is None and len(rows) == ROWS_AT_ONCE
