"""Sealing, verifying and deleting: a changed, removed, added or moved row is found and named."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from crewai_runner.core.clock import now
from crewai_runner.core.encryption import SecretCipher
from crewai_runner.db.session import unit_of_work
from crewai_runner.domain.audit_entry import Actor, ActorKind, AuditEntry, Origin
from crewai_runner.features.audit import sealing
from crewai_runner.features.audit.repository import AuditRepository
from crewai_runner.features.audit.retention import OPERATION, AuditRetention
from crewai_runner.features.audit.sealing import AuditSealer
from crewai_runner.features.audit.service import AuditVerification
from crewai_runner.wiring.container import Container
from tests.support.harness import ON_SQLITE

pytestmark = pytest.mark.each_database

CHAIN = "ws_1"


def make_row(chain: str = CHAIN, days_ago: int = 0, **values: Any) -> dict[str, Any]:
    origin = Origin("models:update_model", is_change=True, actor=Actor(ActorKind.SYSTEM), workspace_id=chain)
    entry = AuditEntry(lambda: origin)
    entry.add_change("model.name", "a", "b")
    row = entry.build_change()
    assert row is not None
    return row | {"at": now() - timedelta(days=days_ago)} | values


async def add(container: Container, *rows: dict[str, Any]) -> None:
    async with unit_of_work(container.sessions) as session:
        await AuditRepository(session).add(rows)


async def add_sealed(container: Container, count: int = 5, chain: str = CHAIN) -> None:
    await add(container, *(make_row(chain) for _ in range(count)))
    await container.audit.sealer.seal_all()


def verify(container: Container) -> dict[str, str | None]:
    """The problem of each chain."""
    checked = AuditVerification(container.reader.engine, container.cipher)
    return {result.chain: result.problem for result in checked.verify_all()}


async def execute(container: Container, statement: str, **values: object) -> None:
    async with unit_of_work(container.sessions) as session:
        await session.execute(text(statement), values)


class TestSealing:
    async def test_each_workspace_has_a_chain_of_its_own(self, container: Container) -> None:
        await add_sealed(container, 3)
        await add_sealed(container, 2, "")

        results = list(AuditVerification(container.reader.engine, container.cipher).verify_all())

        assert [(result.chain, result.rows, result.problem) for result in results] == [
            ("", 2, None),
            (CHAIN, 3, None),
        ]

    async def test_several_processes_seal_one_chain_at_a_time(
        self, container: Container, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sealing, "BATCH_ROWS", 7)
        await add(container, *(make_row() for _ in range(100)))

        sealers = [AuditSealer(container.sessions, container.reader, container.cipher) for _ in range(4)]
        await asyncio.gather(*(sealer.seal_all() for sealer in sealers))
        await container.audit.sealer.seal_all()

        assert verify(container) == {CHAIN: None}

    @ON_SQLITE
    async def test_row_that_became_visible_late_is_appended(self, container: Container) -> None:
        late = make_row()
        await add_sealed(container)
        await add(container, late)
        await container.audit.sealer.seal_all()

        assert verify(container) == {CHAIN: None}


BREAKS: dict[str, tuple[str, str]] = {
    "flipped byte": (
        "UPDATE audit_log SET changes = replace(changes, '\"b\"', '\"c\"') WHERE seq = 3",
        "row 3 (",
    ),
    "another spelling of the same JSON": (
        "UPDATE audit_log SET changes = replace(changes, ',', ', ') WHERE seq = 3",
        "row 3 (",
    ),
    "no JSON": ("UPDATE audit_log SET changes = '[' WHERE seq = 3", "row 3 ("),
    "another actor": ("UPDATE audit_log SET actor_id = 'pers_2' WHERE seq = 3", "row 3 ("),
    "deleted row": ("DELETE FROM audit_log WHERE seq = 3", "row 3 is missing before row 4"),
    "deleted end": ("DELETE FROM audit_log WHERE seq > 3", "rows 4 to 5 are missing at the end"),
    "deleted beginning": ("DELETE FROM audit_log WHERE seq = 1", "row 1 is missing before row 2"),
    "moved row": ("UPDATE audit_log SET seq = CASE seq WHEN 2 THEN 30 ELSE seq END", "row 2 is missing"),
    "unsealed again": ("UPDATE audit_log SET seq = NULL, hash = NULL WHERE seq = 4", "row 4 is missing"),
    "shortened head": ("UPDATE audit_chains SET last_seq = 4", "the recorded ends of the chain were changed"),
}


class TestVerification:
    @ON_SQLITE
    @pytest.mark.parametrize("name", BREAKS)
    async def test_finds_the_first_bad_row(self, container: Container, name: str) -> None:
        statement, problem = BREAKS[name]
        await add_sealed(container)
        await add_sealed(container, 2, "ws_2")

        await execute(container, statement + ("" if "WHERE" in statement else " WHERE chain = 'ws_1'"))

        found = verify(container)[CHAIN] or ""
        assert problem in found

    @ON_SQLITE
    async def test_finds_rows_that_changed_places(self, container: Container) -> None:
        await add_sealed(container)
        for old, new in ((2, 99), (3, 2), (99, 3)):
            await execute(container, f"UPDATE audit_log SET seq = {new} WHERE seq = {old}")

        assert "row 2 (" in (verify(container)[CHAIN] or "")

    @ON_SQLITE
    async def test_finds_a_chain_that_was_computed_again(
        self, container: Container, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Hashes need no key, but the ends of a chain are encrypted."""
        await add_sealed(container)
        await execute(container, "UPDATE audit_log SET actor_id = 'x', seq = NULL, hash = NULL")
        await execute(container, "UPDATE audit_chains SET last_seq = 0, last_hash = pruned_hash")
        forger = SecretCipher("Zm9yZ2VkZm9yZ2VkZm9yZ2VkZm9yZ2VkZm9yZ2VkMTI=")
        await AuditSealer(container.sessions, container.reader, forger).seal_all()

        assert "another SECRET_KEY" in (verify(container)[CHAIN] or "")

    @ON_SQLITE
    async def test_names_a_row_that_cannot_be_read(self, container: Container) -> None:
        await add_sealed(container)
        await execute(container, "UPDATE audit_log SET at = 'yesterday' WHERE seq = 4")

        assert verify(container)[CHAIN] == "row 4 cannot be read"


class TestRetention:
    async def test_chain_stays_verifiable(self, container: Container) -> None:
        await add(container, *(make_row(days_ago=40) for _ in range(3)), *(make_row() for _ in range(2)))
        await container.audit.sealer.seal_all()
        retention = AuditRetention(container.sessions, container.cipher, 30)

        assert await retention.delete_expired() == 3
        assert await retention.delete_expired() == 0
        await container.audit.sealer.seal_all()

        [result] = AuditVerification(container.reader.engine, container.cipher).verify_all()
        assert (result.rows, result.problem) == (3, None)
        async with unit_of_work(container.sessions) as session:
            rows = await session.execute(text("SELECT seq, operation FROM audit_log ORDER BY seq"))
            assert [tuple(row) for row in rows] == [
                (4, "models:update_model"),
                (5, "models:update_model"),
                (6, OPERATION),
            ]

    @ON_SQLITE
    async def test_rows_after_a_kept_one_are_kept(self, container: Container) -> None:
        await add(container, make_row(days_ago=40), make_row(), make_row(days_ago=40))
        await container.audit.sealer.seal_all()

        assert await AuditRetention(container.sessions, container.cipher, 30).delete_expired() == 1

    @ON_SQLITE
    async def test_removing_more_is_found(self, container: Container) -> None:
        await add(container, *(make_row(days_ago=40) for _ in range(3)), make_row())
        await container.audit.sealer.seal_all()
        await AuditRetention(container.sessions, container.cipher, 30).delete_expired()

        await execute(container, "DELETE FROM audit_log WHERE seq = 4")
        await execute(container, "UPDATE audit_chains SET pruned_seq = 4")

        assert verify(container)[CHAIN] is not None
