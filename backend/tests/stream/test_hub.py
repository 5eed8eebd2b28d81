"""The bell within one process: every bell's promises, and bounds of its own."""

import pytest

from crewai_runner.stream.hub import MAX_CHUNKS_WAITING, Chunk, Hub, MemoryHub
from tests.stream.contract import HubContract


@pytest.fixture
def near() -> Hub:
    return MemoryHub()


@pytest.fixture
def far(near: Hub) -> Hub:
    return near


class TestMemoryHub(HubContract):
    """One hub serves both."""


def test_a_slow_listener_loses_the_oldest_chunks_and_memory_is_bounded() -> None:
    hub = MemoryHub()
    with hub.listening("a") as listener:
        for number in range(10 * MAX_CHUNKS_WAITING):
            hub.whisper("a", Chunk(number, ""))
        kept = [chunk.after for chunk in listener.take_chunks()]

    assert len(kept) <= MAX_CHUNKS_WAITING
    assert kept[-1] == 10 * MAX_CHUNKS_WAITING - 1
    assert kept == sorted(kept)


def test_nothing_is_kept_of_who_has_left() -> None:
    hub = MemoryHub()
    with hub.listening("a"):
        pass

    assert not hub._listeners
