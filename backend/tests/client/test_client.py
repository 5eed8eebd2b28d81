"""The client: what it repeats, what it raises, and how it follows a run; without a server."""

import json
from collections.abc import Callable, Iterator

import httpx
import pytest

from crewai_runner.client import ApiError, AsyncClient, Client, ClientError, Unreachable
from crewai_runner.client import calls as calls_module

Reply = httpx.Response | Exception
RUN = {"id": "run_1", "workflowName": "Tea", "attempt": 1, "createdAt": "2026-03-10T00:00:00Z"}


def started() -> httpx.Response:
    return httpx.Response(202, json={"runId": "run_1", "warnings": []})


def busy() -> httpx.Response:
    return httpx.Response(429, json={"title": "Too many requests"}, headers={"Retry-After": "0"})


def done(status: str = "completed") -> httpx.Response:
    return httpx.Response(200, json={"run": RUN | {"status": status, "newField": 1}})


def stream(*numbers: int) -> httpx.Response:
    frames = [f"id: {n}\ndata: {json.dumps({'seq': n, 'type': 'log.line'})}\n\n" for n in numbers]
    return httpx.Response(
        200, text=": heartbeat\n\n" + "".join(frames), headers={"Content-Type": "text/event-stream"}
    )


class Server:
    """Gives the replies in order, and records the requests."""

    def __init__(self, *replies: Reply) -> None:
        self._replies: Iterator[Reply] = iter(replies)
        self.requests = list[httpx.Request]()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        reply = next(self._replies)
        if isinstance(reply, Exception):
            raise reply
        return reply

    def client(self) -> Client:
        return Client("http://runner.test/", "cr_key", transport=httpx.MockTransport(self))


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls_module, "MAX_WAIT_SECONDS", 0.0)


LOST = httpx.ReadError("connection reset")


class TestRetries:
    @pytest.mark.parametrize("first", [LOST, busy(), httpx.Response(503, text="<html>nginx</html>")])
    def test_a_start_is_sent_again_with_the_same_key(self, first: Reply) -> None:
        server = Server(first, started())

        assert server.client().start_run(workflow_id="wf_1", inputs={"a": 1}).run_id == "run_1"

        one, two = server.requests
        assert one.headers["Idempotency-Key"] == two.headers["Idempotency-Key"] != ""
        assert json.loads(two.content) == {"workflowId": "wf_1", "inputs": {"a": 1}}
        assert two.headers["Authorization"] == "Bearer cr_key"

    def test_a_stop_is_not_repeated_after_a_lost_answer(self) -> None:
        server = Server(LOST, done())

        with pytest.raises(Unreachable, match=r"runner\.test cannot be reached: connection reset"):
            server.client().stop_run("run_1")
        assert len(server.requests) == 1

    @pytest.mark.parametrize(("reply", "error"), [(LOST, Unreachable), (busy(), ApiError)])
    def test_the_last_error_is_raised(self, reply: Reply, error: type[ClientError]) -> None:
        server = Server(*[reply] * 9)

        with pytest.raises(error):
            server.client().get_run("run_1")
        assert len(server.requests) == calls_module.ATTEMPTS

    def test_a_refusal_is_not_repeated_and_says_why(self) -> None:
        problem = {
            "type": "https://x/problems/run-not-found",
            "title": "Not found",
            "detail": "No run run_1.",
        }
        server = Server(httpx.Response(404, json=problem))

        with pytest.raises(ApiError, match=r"No run run_1\.") as refused:
            server.client().get_run("run_1")
        assert (refused.value.status, refused.value.kind) == (404, "run-not-found")

    def test_another_kind_of_server(self) -> None:
        with pytest.raises(ClientError, match=r"runner\.test is not a CrewAI Runner"):
            Server(httpx.Response(200, text="<html>")).client().get_run("run_1")


class TestEvents:
    def test_a_broken_stream_continues_after_its_last_event(self) -> None:
        server = Server(stream(1, 2), done("running"), LOST, stream(3), done())

        assert [event.seq for event in server.client().events("run_1")] == [1, 2, 3]

        streams = [request for request in server.requests if request.url.path.endswith("/stream")]
        assert [request.url.params["after"] for request in streams] == ["0", "2", "2"]

    def test_a_refused_stream(self) -> None:
        with pytest.raises(ApiError, match="Gone"):
            list(Server(httpx.Response(404, json={"title": "Gone"})).client().events("run_1"))

    def test_unreachable_after_many_attempts(self) -> None:
        with pytest.raises(Unreachable):
            list(Server(*[LOST] * 9).client().events("run_1"))


class TestAsyncClient:
    async def test_does_the_same(self) -> None:
        server = Server(busy(), started(), stream(1), done("running"), stream(2), done(), done())
        transport = httpx.MockTransport(server)
        async with AsyncClient("http://runner.test", "cr_key", transport=transport) as client:
            begun = await client.start_run(workflow="name: Tea")
            events = [event.seq async for event in client.events(begun.run_id)]
            run = await client.wait(begun.run_id)

        assert events == [1, 2]
        assert (run.status, run.model_extra) == ("completed", {"newField": 1})

    def test_has_every_method_of_the_other(self) -> None:
        def methods(of: Callable[..., object]) -> set[str]:
            return {name for name in vars(of) if not name.startswith("_")}

        assert methods(AsyncClient) == methods(Client)
