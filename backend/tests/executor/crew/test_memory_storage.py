"""The storage of a crew's memory: what it finds, and which changes it hands over."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crewai_runner.executor.memory_records import MemoryChange
from tests.executor.engine_modules import import_engine_module

pytestmark = pytest.mark.crew
AT = datetime(2026, 11, 1)  # noqa: DTZ001 - CrewAI's times have no time zone


@pytest.fixture
def module() -> Any:
    return import_engine_module("build.memory_storage")


@pytest.fixture
def changes() -> list[MemoryChange]:
    return []


@pytest.fixture
def storage(module: Any, changes: list[MemoryChange]) -> Any:
    return module.RunMemoryStorage(changes.extend)


def record(number: int, **settings: Any) -> Any:
    from crewai.memory.types import MemoryRecord

    at = AT + timedelta(minutes=number)
    given = {"id": f"m{number}", "content": f"Fact {number}", "scope": "/crew", "embedding": [1.0, 0.0]}
    return MemoryRecord(**given | {"created_at": at, "last_accessed": at} | settings)


class TestRunMemoryStorage:
    def test_is_what_crewai_expects(self, storage: Any) -> None:
        from crewai.memory.storage.backend import StorageBackend

        assert isinstance(storage, StorageBackend)

    def test_finds_the_most_similar_first(self, storage: Any) -> None:
        storage.save([record(1, embedding=[0.0, 1.0]), record(2, embedding=[0.8, 0.6]), record(3)])

        found = storage.search([1.0, 0.0], limit=2)

        assert [one.id for one, _ in found] == ["m3", "m2"]
        assert found[0][1] == pytest.approx(1.0)
        assert found[1][1] == pytest.approx(1 / 1.4)

    @pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")
    def test_scores_are_those_of_lancedb(self, storage: Any, tmp_path: Any) -> None:
        from crewai.memory.storage.lancedb_storage import LanceDBStorage

        records = [record(1, embedding=[0.6, 0.8]), record(2), record(3, embedding=[2.0, 1.0])]
        theirs = LanceDBStorage(path=str(tmp_path / "lance"), compact_every=0)
        theirs.save([one.model_copy() for one in records])
        storage.save(records)

        expected = [(one.id, pytest.approx(score, abs=1e-5)) for one, score in theirs.search([1.0, 0.5])]

        assert [(one.id, score) for one, score in storage.search([1.0, 0.5])] == expected

    def test_selects_by_scope_category_and_metadata(self, storage: Any) -> None:
        storage.save(
            [
                record(1, scope="/crew/a", categories=["x"], metadata={"k": 1}),
                record(2, scope="/crew/ab"),
                record(3, scope="/crew"),
            ]
        )

        assert [one.id for one, _ in storage.search([1.0, 0.0], scope_prefix="/crew/a")] == ["m1"]
        assert [one.id for one, _ in storage.search([1.0, 0.0], categories=["x"])] == ["m1"]
        assert [one.id for one, _ in storage.search([1.0, 0.0], metadata_filter={"k": 1})] == ["m1"]
        assert storage.list_scopes("/crew") == ["/crew/a", "/crew/ab"]
        assert storage.list_categories() == {"x": 1}
        assert storage.count("/crew") == 3
        assert storage.get_scope_info("/crew/a").record_count == 1

    def test_another_dimension_is_not_compared(self, storage: Any) -> None:
        storage.save([record(1, embedding=[1.0, 0.0, 0.0])])

        assert storage.search([1.0, 0.0]) == []

    def test_hands_over_each_change(self, storage: Any, changes: list[MemoryChange]) -> None:
        storage.save([record(1)])
        storage.update(record(1, content="Changed", embedding=None))
        storage.delete(record_ids=["m1"])

        saved, updated, deleted = changes
        assert saved.saved is not None
        assert saved.saved.created_at == AT.replace(tzinfo=UTC) + timedelta(minutes=1)
        assert updated.saved is not None
        assert (updated.saved.content, updated.saved.vector) == ("Changed", [1.0, 0.0])
        assert deleted.deleted_id == "m1"
        assert storage.list_records() == []

    def test_forgets_what_was_not_used_for_the_longest_time(
        self, module: Any, storage: Any, changes: list[MemoryChange], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module.RunMemoryStorage, "MAX_RECORDS", 2)
        storage.save([record(1), record(2)])

        storage.save([record(3)])

        assert [one.id for one in storage.list_records()] == ["m3", "m2"]
        assert changes[-1].deleted_id == "m1"

    def test_round_trip_of_a_record(self, module: Any) -> None:
        original = record(1, categories=["a"], metadata={"k": "v"}, source="s", private=True)

        restored = module.to_record(module.to_stored(original))

        assert restored.model_dump() == original.model_dump()
        assert restored.embedding == original.embedding
