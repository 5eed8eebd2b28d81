"""The pace of notifications: no wait after a pause, a bounded number in the long run."""

from hypothesis import given
from hypothesis import strategies as st

from crewai_runner.stream.send_pace import SendPace

INTERVAL, BURST = 0.02, 5


def send(pace: SendPace, now: float) -> float:
    """Send as soon as allowed; return when."""
    at = now + pace.wait_seconds(now)
    pace.note_sent(at)
    return at


def test_a_burst_needs_no_wait_and_the_next_send_does() -> None:
    pace = SendPace(INTERVAL, BURST)

    sent = [send(pace, 100.0) for _ in range(BURST + 2)]

    assert [round(at - 100.0, 6) for at in sent] == [0.0] * BURST + [INTERVAL, 2 * INTERVAL]


def test_a_pause_allows_the_next_burst() -> None:
    pace = SendPace(INTERVAL, BURST)
    for _ in range(BURST):
        send(pace, 100.0)

    later = 100.0 + INTERVAL * BURST

    assert [send(pace, later) for _ in range(BURST)] == [later] * BURST


@given(st.lists(st.floats(0, 0.1), min_size=1, max_size=100))
def test_no_period_has_more_sends_than_its_intervals_and_one_burst(pauses: list[float]) -> None:
    pace, now, sent = SendPace(INTERVAL, BURST), 100.0, []
    for pause in pauses:
        now = send(pace, now + pause)
        sent.append(now)

    for first, start in enumerate(sent):
        for last in range(first, len(sent)):
            assert last - first + 1 <= (sent[last] - start) / INTERVAL + BURST + 1e-6
