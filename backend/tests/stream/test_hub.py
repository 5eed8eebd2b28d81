"""The bell rings for its topic's listeners, and only while they listen."""

from crewai_runner.stream.hub import MAX_CHUNKS_WAITING, Chunk, MemoryHub, control_topic


def test_a_ring_is_heard_by_every_listener_of_its_topic_only() -> None:
    hub = MemoryHub()
    with hub.listening("a") as one, hub.listening("a") as two, hub.listening("b") as other:
        hub.ring(["a", "nobody"])

        assert one.bell.is_set()
        assert two.bell.is_set()
        assert not other.bell.is_set()


def test_a_chunk_rings_and_is_taken_once() -> None:
    hub = MemoryHub()
    with hub.listening("a") as listener:
        hub.whisper("a", Chunk(3, "x"))

        assert listener.bell.is_set()
        assert listener.take_chunks() == [Chunk(3, "x")]
        assert listener.take_chunks() == []


def test_a_slow_listener_loses_the_oldest_chunks_and_memory_is_bounded() -> None:
    hub = MemoryHub()
    with hub.listening("a") as listener:
        for number in range(10 * MAX_CHUNKS_WAITING):
            hub.whisper("a", Chunk(number, ""))
        kept = [chunk.after for chunk in listener.take_chunks()]

    assert len(kept) <= MAX_CHUNKS_WAITING
    assert kept[-1] == 10 * MAX_CHUNKS_WAITING - 1
    assert kept == sorted(kept)


def test_who_has_left_is_forgotten() -> None:
    hub = MemoryHub()
    with hub.listening("a"), hub.listening(control_topic("a")):
        assert hub.readers() == 2

    assert hub.readers() == 0
    assert not hub._listeners
