"""Connections for other features: their addresses with decrypted secrets."""

from collections.abc import Collection
from dataclasses import dataclass

from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.core.encryption import SecretCipher, SecretUnreadable
from crewai_runner.core.keyring import Keyring
from crewai_runner.core.secret_mask import SecretMask
from crewai_runner.domain.connection import ConnectionKind, ConnectionOptions, ConnectionPurpose
from crewai_runner.features.connections.repository import ConnectionRepository
from crewai_runner.features.connections.schemas import ConnectionRecord

MASK_OWNERS = "connection:"


@dataclass(frozen=True, slots=True)
class ConnectionDeps:
    """Dependencies of the connection services, built by the container."""

    cipher: SecretCipher
    mask: SecretMask
    egress: EgressPolicy

    def make_keyring(self) -> Keyring:
        return Keyring(self.cipher, self.mask, MASK_OWNERS)


@dataclass(frozen=True, slots=True)
class UsableConnection:
    """A connection with its decrypted secret. Never part of a response."""

    id: str
    """Empty if it is not stored."""
    name: str
    kind: ConnectionKind
    purpose: ConnectionPurpose
    base_url: str | None
    options: ConnectionOptions
    secret: SecretStr | None


class ConnectionService:
    """Decrypts secrets. A decrypted secret is masked in logs and responses from then on."""

    def __init__(self, session: AsyncSession, deps: ConnectionDeps) -> None:
        self._connections = ConnectionRepository(session)
        self._keyring = deps.make_keyring()

    async def get_usable(self, workspace_id: str, connection_id: str) -> UsableConnection:
        """Return a stored connection. Raises ConnectionNotFound, SecretUnreadable."""
        row = await self._connections.get(connection_id, workspace_id)
        return self._decrypt(
            ConnectionRecord(
                *(row.id, row.workspace_id, row.name, row.kind, row.purpose),
                *(row.base_url, row.sealed_secret, row.options, row.is_default),
            )
        )

    async def get_purpose(self, workspace_id: str, connection_id: str) -> ConnectionPurpose:
        """Return what a connection is for. Raises ConnectionNotFound."""
        return ConnectionPurpose((await self._connections.get(connection_id, workspace_id)).purpose)

    async def list_usable(
        self, workspace_id: str, purposes: Collection[ConnectionPurpose]
    ) -> dict[ConnectionPurpose, list[UsableConnection]]:
        """Return the connections by purpose, the default one first. Raises SecretUnreadable."""
        found: dict[ConnectionPurpose, list[UsableConnection]] = {purpose: [] for purpose in purposes}
        if purposes:
            for record in await self._connections.list_records(workspace_id, sorted(purposes)):
                found[ConnectionPurpose(record.purpose)].append(self._decrypt(record))
        return found

    async def list_connection_names(self, workspace_id: str) -> dict[ConnectionPurpose, list[str]]:
        """Return the names of the connections by purpose, the default one first."""
        records = await self._connections.list_records(workspace_id, list(ConnectionPurpose))
        names: dict[ConnectionPurpose, list[str]] = {}
        for record in records:
            names.setdefault(ConnectionPurpose(record.purpose), []).append(record.name)
        return names

    async def mask_stored_secrets(self) -> None:
        """Mask the stored secrets of all workspaces, and no others any more."""
        stored = await self._connections.list_encrypted_secrets()
        for workspace_id, connection_id, encrypted in stored:
            try:
                self._keyring.decrypt(encrypted, workspace_id, connection_id)
            except SecretUnreadable:
                continue  # it cannot be used either
        self._keyring.forget_all_but({connection_id for _, connection_id, _ in stored})

    def _decrypt(self, record: ConnectionRecord) -> UsableConnection:
        return UsableConnection(
            id=record.id,
            name=record.name,
            kind=ConnectionKind(record.kind),
            purpose=ConnectionPurpose(record.purpose),
            base_url=record.base_url,
            options=ConnectionOptions.model_validate(record.options),
            secret=self._keyring.decrypt(record.sealed_secret, record.workspace_id, record.id),
        )
