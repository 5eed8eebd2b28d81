"""The two ways to follow a run tell the same story."""

import json

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tests.support.scripted_provider import Hold, Say, ScriptedProvider
from tests.support.server_process import API_KEY, TWO_TASKS, ApiClient

pytestmark = [pytest.mark.process, pytest.mark.crew]


def address(client: ApiClient, run_id: str, after: int = 0) -> str:
    url = str(client.http.base_url).replace("http://", "ws://").rstrip("/")
    return f"{url}/api/v1/runs/{run_id}/ws?after={after}"


def frames_over_websocket(client: ApiClient, run_id: str, after: int = 0, **how) -> list[dict]:
    how = how or {"additional_headers": {"Authorization": f"Bearer {API_KEY}"}}
    frames = []
    with connect(address(client, run_id, after), proxy=None, **how) as socket:
        try:
            while True:
                frames.append(json.loads(socket.recv(timeout=30)))
        except ConnectionClosed:
            return frames


def test_a_websocket_tells_what_the_stream_tells(client: ApiClient) -> None:
    run_id = client.start_run(TWO_TASKS)
    client.wait_for_state(run_id, "completed")

    over_websocket = frames_over_websocket(client, run_id)
    over_http = list(client.stream(run_id))

    assert over_websocket[0]["type"] == over_http[0]["type"] == "run.snapshot"
    assert over_websocket[1:] == [
        {name: value for name, value in frame.items() if name != "id"} for frame in over_http[1:]
    ]


def test_a_browser_brings_its_token_as_a_subprotocol(client: ApiClient) -> None:
    run_id = client.start_run(TWO_TASKS)
    client.wait_for_state(run_id, "completed")

    frames = frames_over_websocket(
        client, run_id, after=3, subprotocols=["crewai-runner", f"bearer.{API_KEY}"]
    )

    assert frames[1]["seq"] == 4
    assert frames[-1]["type"] == "run.completed"


@pytest.mark.parametrize("how", [{}, {"subprotocols": ["bearer.wrong"]}, {"origin": "http://localhost"}])
def test_a_websocket_without_a_token_is_refused_before_it_opens(client: ApiClient, how: dict) -> None:
    run_id = client.start_run(TWO_TASKS)

    with pytest.raises(InvalidStatus) as refused:
        connect(address(client, run_id), proxy=None, **how).__enter__()

    assert refused.value.response.status_code == 403


def test_tokens_come_live_and_in_order(client: ApiClient, provider: ScriptedProvider) -> None:
    words = [f"word-{number} " for number in range(40)]
    provider.on(Hold("go", Say(chunks=words, chunk_delay=0.01)), contains="Find facts", times=1)
    run_id = client.start_run(TWO_TASKS)
    provider.wait_for_requests(1)
    text, ended = "", False

    for frame in client.stream(run_id):
        if frame["type"] == "llm.started":
            provider.release("go")
        if frame["type"] == "llm.chunk" and frame["taskKey"] == "research":
            assert not ended, "a chunk came after the end of its call"
            text += frame["data"]["text"]
        ended = ended or frame["type"] == "llm.completed"

    assert text == "".join(words)
    completed = next(e for e in client.events(run_id) if e["type"] == "llm.completed")
    assert completed["data"]["text"].strip() == text.strip()
