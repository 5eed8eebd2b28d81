"""The in-process notifier: the contract, and its memory bounds."""

import pytest

from crewai_runner.stream.notifier import MAX_PENDING_CHUNKS, Chunk, MemoryNotifier, Notifier
from tests.stream.contract import NotifierContract


@pytest.fixture
def near() -> Notifier:
    return MemoryNotifier()


@pytest.fixture
def far(near: Notifier) -> Notifier:
    return near


class TestMemoryNotifier(NotifierContract):
    """The publisher and the subscriber share one notifier."""


def test_slow_subscriber_loses_the_oldest_chunks() -> None:
    notifier = MemoryNotifier()
    with notifier.subscribe("a") as subscription:
        for number in range(10 * MAX_PENDING_CHUNKS):
            notifier.publish_ephemeral("a", Chunk(number, ""))
        kept = [chunk.after for chunk in subscription.pop_chunks()]

    assert len(kept) <= MAX_PENDING_CHUNKS
    assert kept[-1] == 10 * MAX_PENDING_CHUNKS - 1
    assert kept == sorted(kept)


def test_unsubscribing_frees_the_topic() -> None:
    notifier = MemoryNotifier()
    with notifier.subscribe("a"):
        pass

    assert not notifier._subscribers
