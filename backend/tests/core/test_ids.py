import pytest

from crewai_runner.core import ids
from crewai_runner.core.ids import Prefix, has_prefix, new_id


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


def test_ids_of_one_millisecond_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ids.time, "time_ns", lambda: 1_000_000)

    assert len({new_id(Prefix.RUN) for _ in range(1000)}) == 1000


def test_an_id_is_a_uuid_of_version_seven() -> None:
    body = new_id(Prefix.RUN).removeprefix("run_")

    assert (body[12], body[16] in "89ab") == ("7", True)


@pytest.mark.parametrize(
    "identifier", ["", "run", "run_", "run_\x00", "run_a b", "run_a;b", "run_" + "a" * 57, "wf_1"]
)
def test_what_cannot_be_an_id_is_none(identifier: str) -> None:
    assert not has_prefix(identifier, Prefix.RUN)
