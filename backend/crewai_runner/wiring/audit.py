"""Builds what records, seals, deletes and sends the audit log in one process."""

from dataclasses import dataclass

from crewai_runner.core.encryption import SecretCipher
from crewai_runner.core.settings import Settings
from crewai_runner.core.webhook_secret import load_webhook_secret
from crewai_runner.db.session import Sessions
from crewai_runner.db.snapshot_reader import SnapshotReader
from crewai_runner.features.audit.deliveries import AuditDeliveries
from crewai_runner.features.audit.middleware import AuditDeps
from crewai_runner.features.audit.receivers import Receiver, SyslogReceiver, WebhookReceiver
from crewai_runner.features.audit.refusals import RefusedAttempts
from crewai_runner.features.audit.retention import AuditRetention
from crewai_runner.features.audit.sealing import AuditSealer


@dataclass(frozen=True, slots=True)
class AuditParts:
    deps: AuditDeps
    sealer: AuditSealer
    retention: AuditRetention
    deliveries: AuditDeliveries

    @property
    def refusals(self) -> RefusedAttempts:
        return self.deps.refusals

    async def seal_and_send(self) -> None:
        """Seal what was stored since the last time, and send it to the receivers."""
        await self.sealer.seal_all()
        await self.deliveries.send_all()


def make_audit(
    settings: Settings, sessions: Sessions, reader: SnapshotReader, cipher: SecretCipher
) -> AuditParts:
    receivers: list[Receiver] = []
    if settings.audit_webhook_url:
        secret = load_webhook_secret(settings, cipher)
        receivers.append(WebhookReceiver(settings.audit_webhook_url, secret))
    if settings.audit_syslog:
        receivers.append(SyslogReceiver(settings.audit_syslog))
    return AuditParts(
        AuditDeps(sessions, RefusedAttempts(sessions)),
        AuditSealer(sessions, reader, cipher),
        AuditRetention(sessions, cipher, settings.audit_kept_days),
        AuditDeliveries(sessions, reader, receivers),
    )
