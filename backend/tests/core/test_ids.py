"""Prefixed, time-sortable identifiers."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from crewai_runner.core import ids
from crewai_runner.core.ids import Prefix, has_prefix, new_id


@pytest.fixture(autouse=True)
def isolated_ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests set the clock; ids created afterwards must not carry that time."""
    monkeypatch.setattr(ids, "_ticks", ids.MonotonicTicks())


class TestNewId:
    @pytest.mark.parametrize("prefix", Prefix)
    def test_starts_with_its_prefix(self, prefix: Prefix) -> None:
        identifier = new_id(prefix)

        assert identifier.startswith(f"{prefix}_")
        assert has_prefix(identifier, prefix)
        assert len(identifier) <= 64
        assert not [other for other in Prefix if other != prefix and has_prefix(identifier, other)]

    def test_sorts_by_creation_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        created = []
        for millis in (1, 2, 10, 1_800_000_000_000, 2**47):
            monkeypatch.setattr(ids.time, "time_ns", lambda millis=millis: millis * 1_000_000)
            created.append(new_id(Prefix.RUN))

        assert created == sorted(created)

    def test_ids_of_one_millisecond_sort_by_creation(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(ids.time, "time_ns", lambda: 1_000_000)

        created = [new_id(Prefix.RUN) for _ in range(10_000)]

        assert created == sorted(set(created))

    def test_stays_increasing_when_the_clock_goes_back(self, monkeypatch: pytest.MonkeyPatch) -> None:
        created = []
        for millis in (1_800_000_000_000, 1_700_000_000_000):
            monkeypatch.setattr(ids.time, "time_ns", lambda millis=millis: millis * 1_000_000)
            created.append(new_id(Prefix.RUN))

        assert created == sorted(created)

    def test_is_unique_across_threads(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(ids.time, "time_ns", lambda: 1_000_000)

        with ThreadPoolExecutor(8) as pool:
            created = list(pool.map(lambda _: ids._ticks.next(), range(5_000)))

        assert len(set(created)) == 5_000

    def test_contains_the_creation_time_in_milliseconds(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(ids.time, "time_ns", lambda: 1_800_000_000_000_000_000)

        assert int(new_id(Prefix.RUN).removeprefix("run_")[:12], 16) == 1_800_000_000_000

    def test_is_a_version_7_uuid(self) -> None:
        body = new_id(Prefix.RUN).removeprefix("run_")

        assert (body[12], body[16] in "89ab") == ("7", True)


class TestHasPrefix:
    @pytest.mark.parametrize(
        "identifier", ["", "run", "run_", "run_\x00", "run_a b", "run_a;b", "run_" + "a" * 57, "wf_1"]
    )
    def test_rejects_malformed_ids(self, identifier: str) -> None:
        assert not has_prefix(identifier, Prefix.RUN)
