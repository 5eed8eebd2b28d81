from concurrent.futures import ThreadPoolExecutor

import pytest

from crewai_runner.core import ids
from crewai_runner.core.ids import Prefix, has_prefix, new_id


@pytest.fixture(autouse=True)
def own_ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test sets the clock; the ids that others make later must not bear its time."""
    monkeypatch.setattr(ids, "_ticks", ids.MonotonicTicks())


@pytest.mark.parametrize("prefix", Prefix)
def test_an_id_says_what_it_names(prefix: Prefix) -> None:
    identifier = new_id(prefix)

    assert identifier.startswith(f"{prefix}_")
    assert has_prefix(identifier, prefix)
    assert len(identifier) <= 64
    assert not [other for other in Prefix if other != prefix and has_prefix(identifier, other)]


def test_later_ids_sort_after_earlier_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    for millis in (1, 2, 10, 1_800_000_000_000, 2**47):
        monkeypatch.setattr(ids.time, "time_ns", lambda millis=millis: millis * 1_000_000)
        made.append(new_id(Prefix.RUN))

    assert made == sorted(made)


def test_ids_of_one_moment_sort_as_they_were_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ids.time, "time_ns", lambda: 1_000_000)

    made = [new_id(Prefix.RUN) for _ in range(10_000)]

    assert made == sorted(set(made))


def test_a_clock_set_back_sorts_nothing_before_what_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    for millis in (1_800_000_000_000, 1_700_000_000_000):
        monkeypatch.setattr(ids.time, "time_ns", lambda millis=millis: millis * 1_000_000)
        made.append(new_id(Prefix.RUN))

    assert made == sorted(made)


def test_ids_made_by_threads_at_once_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ids.time, "time_ns", lambda: 1_000_000)

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: ids._ticks.next(), range(5_000)))

    assert len(set(made)) == 5_000


def test_an_id_begins_with_the_milliseconds_it_was_made_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ids.time, "time_ns", lambda: 1_800_000_000_000_000_000)

    assert int(new_id(Prefix.RUN).removeprefix("run_")[:12], 16) == 1_800_000_000_000


def test_an_id_is_a_uuid_of_version_seven() -> None:
    body = new_id(Prefix.RUN).removeprefix("run_")

    assert (body[12], body[16] in "89ab") == ("7", True)


@pytest.mark.parametrize(
    "identifier", ["", "run", "run_", "run_\x00", "run_a b", "run_a;b", "run_" + "a" * 57, "wf_1"]
)
def test_what_cannot_be_an_id_is_none(identifier: str) -> None:
    assert not has_prefix(identifier, Prefix.RUN)
