"""Live events of a run over SSE and WebSocket."""

import json

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tests.support.scripted_provider import Hold, Say, ScriptedProvider
from tests.support.server_process import API_KEY, TWO_TASKS, ApiClient

pytestmark = [pytest.mark.process, pytest.mark.crew]


def websocket_url(client: ApiClient, run_id: str, after: int = 0) -> str:
    url = str(client.http.base_url).replace("http://", "ws://").rstrip("/")
    return f"{url}/api/v1/runs/{run_id}/ws?after={after}"


def read_websocket_frames(client: ApiClient, run_id: str, after: int = 0, **options) -> list[dict]:
    options = options or {"additional_headers": {"Authorization": f"Bearer {API_KEY}"}}
    frames = []
    with connect(websocket_url(client, run_id, after), proxy=None, **options) as socket:
        try:
            while True:
                frames.append(json.loads(socket.recv(timeout=30)))
        except ConnectionClosed:
            return frames


class TestWebSocket:
    def test_sends_the_same_events_as_the_sse_stream(self, client: ApiClient) -> None:
        run_id = client.start_run(TWO_TASKS)
        client.wait_for_state(run_id, "completed")

        over_websocket = read_websocket_frames(client, run_id)
        over_http = list(client.stream(run_id))

        assert over_websocket[0]["type"] == over_http[0]["type"] == "run.snapshot"
        assert over_websocket[1:] == [
            {name: value for name, value in frame.items() if name != "id"} for frame in over_http[1:]
        ]

    def test_accepts_the_token_as_a_subprotocol(self, client: ApiClient) -> None:
        run_id = client.start_run(TWO_TASKS)
        client.wait_for_state(run_id, "completed")

        frames = read_websocket_frames(
            client, run_id, after=3, subprotocols=["crewai-runner", f"bearer.{API_KEY}"]
        )

        assert frames[1]["seq"] == 4
        assert frames[-1]["type"] == "run.completed"

    @pytest.mark.parametrize(
        "options", [{}, {"subprotocols": ["bearer.wrong"]}, {"origin": "http://localhost"}]
    )
    def test_rejects_the_handshake_without_a_token(self, client: ApiClient, options: dict) -> None:
        run_id = client.start_run(TWO_TASKS)

        with pytest.raises(InvalidStatus) as refused:
            connect(websocket_url(client, run_id), proxy=None, **options).__enter__()

        assert refused.value.response.status_code == 403


class TestChunks:
    def test_chunks_arrive_in_order_before_the_call_completes(
        self, client: ApiClient, provider: ScriptedProvider
    ) -> None:
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
