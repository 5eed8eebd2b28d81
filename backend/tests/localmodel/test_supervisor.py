import asyncio
import os
import signal
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest

from crewai_runner.localmodel.install import ModelFile, installed_model
from crewai_runner.localmodel.supervisor import (
    Endpoint,
    LocalModel,
    LocalModelMode,
    LocalModelState,
    LocalModelUnavailable,
    Patience,
)
from tests.localmodel.conftest import gone, until

pytestmark = pytest.mark.local_model

MakeModel = Callable[..., Awaitable[LocalModel]]


async def ask(endpoint: Endpoint, token: str | None = None, **body: object) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token or endpoint.token.get_secret_value()}"}
    question = {"messages": [{"role": "user", "content": "Say hello."}], "max_tokens": 8, **body}
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        return await client.post(f"{endpoint.base_url}/chat/completions", json=question, headers=headers)


async def test_starts_in_the_background_and_answers(make_model: MakeModel) -> None:
    model = await make_model()
    assert model.status().state is LocalModelState.STARTING

    answer = await ask(await model.endpoint())

    assert answer.status_code == 200
    assert answer.json()["choices"][0]["message"]["content"].strip()
    assert model.status().state is LocalModelState.READY
    assert await model.healthy()


async def test_a_grammar_gives_the_answer_its_shape(make_model: MakeModel) -> None:
    model = await make_model()

    answer = await ask(await model.endpoint(), grammar='root ::= "yes" | "no"')

    assert answer.json()["choices"][0]["message"]["content"] in {"yes", "no"}


async def test_refuses_a_wrong_token(make_model: MakeModel) -> None:
    model = await make_model()

    answer = await ask(await model.endpoint(), token="guessed")

    assert answer.status_code == 401


async def test_shows_its_token_to_nobody(make_model: MakeModel) -> None:
    endpoint = await (await make_model()).endpoint()

    assert endpoint.token.get_secret_value() not in repr(endpoint)


async def test_stopping_leaves_no_process_behind(make_model: MakeModel) -> None:
    model = await make_model(LocalModelMode.EAGER)
    pid = model.pid
    assert pid is not None

    await model.stop()

    assert gone(pid)
    assert model.status().state is LocalModelState.OFF
    assert not await model.healthy()
    with pytest.raises(LocalModelUnavailable, match="stopped"):
        await model.endpoint()


async def test_stopping_does_not_wait_for_the_loading(make_model: MakeModel) -> None:
    model = await make_model()
    await until(lambda: model.pid)
    pid = model.pid
    assert pid is not None

    await model.stop()

    assert gone(pid)


async def test_stopping_ends_a_process_that_hangs(make_model: MakeModel) -> None:
    model = await make_model(LocalModelMode.EAGER)
    pid = model.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)

    await model.stop()

    assert gone(pid)


async def test_starts_again_after_a_stop(make_model: MakeModel) -> None:
    model = await make_model(LocalModelMode.EAGER)
    await model.stop()

    await model.start()

    assert await model.healthy()


async def test_comes_back_at_the_same_address_when_its_process_is_killed(make_model: MakeModel) -> None:
    model = await make_model(LocalModelMode.EAGER)
    before, pid = await model.endpoint(), model.pid
    assert pid is not None

    os.kill(pid, signal.SIGKILL)
    await until(lambda: model.status().state is LocalModelState.STARTING)
    after = await model.endpoint()

    assert after == before
    assert model.pid != pid
    assert gone(pid)
    assert (await ask(after)).status_code == 200


async def test_replaces_a_process_that_no_longer_answers(make_model: MakeModel) -> None:
    patience = Patience(probe_interval=0.05, probe_timeout=0.3, probes_to_miss=2)
    model = await make_model(LocalModelMode.EAGER, patience=patience)
    pid = model.pid
    assert pid is not None

    os.kill(pid, signal.SIGSTOP)

    await until(lambda: gone(pid))
    assert (await ask(await model.endpoint())).status_code == 200


async def test_takes_another_port_when_its_own_is_taken_meanwhile(make_model: MakeModel) -> None:
    taken = await (await make_model()).endpoint()
    model = LocalModel()
    model._port = int(taken.base_url.rsplit(":", 1)[1].removesuffix("/v1"))
    await model.start()

    try:
        assert (await model.endpoint()).base_url != taken.base_url
    finally:
        await model.stop()


async def test_reports_failure_when_it_never_gets_ready_and_goes_on_trying(make_model: MakeModel) -> None:
    patience = Patience(start_timeout=0.01, first_pause=0.01, longest_pause=0.01, failures_to_report=2)
    model = await make_model(patience=patience)

    await until(lambda: model.status().state is LocalModelState.FAILED)
    assert "not ready after 0.01 s" in model.status().message
    await until(lambda: model.status().state is LocalModelState.STARTING)


async def test_a_waiter_that_gives_up_does_not_spoil_it_for_the_others(make_model: MakeModel) -> None:
    model = await make_model()

    with pytest.raises(LocalModelUnavailable, match="not ready"):
        await model.endpoint(timeout_seconds=0.001)

    assert (await model.endpoint()).base_url.startswith("http://127.0.0.1:")


async def test_serves_other_event_loops(make_model: MakeModel) -> None:
    model = await make_model(LocalModelMode.LAZY)
    found: list[Endpoint] = []
    other = threading.Thread(target=lambda: found.append(asyncio.run(model.endpoint())))

    other.start()
    await until(lambda: not other.is_alive())

    assert found == [await model.endpoint()]


async def test_waits_for_its_first_use_when_lazy(make_model: MakeModel) -> None:
    model = await make_model(LocalModelMode.LAZY)
    assert model.pid is None
    assert model.status().state is LocalModelState.OFF

    await model.endpoint()

    assert model.pid is not None


async def test_starts_nothing_when_switched_off(make_model: MakeModel) -> None:
    model = await make_model(LocalModelMode.OFF)

    assert model.status().state is LocalModelState.OFF
    with pytest.raises(LocalModelUnavailable, match="LOCAL_MODEL=off"):
        await model.endpoint()
    assert model.pid is None


@pytest.mark.parametrize(
    ("content", "sha256", "message"),
    [
        (None, None, "model.gguf cannot be read: No such file or directory"),
        (b"not a model", None, "model.gguf is not a GGUF file"),
        (b"GGUF" + bytes(64), None, "model.gguf cannot be loaded"),
        (b"GGUF" + bytes(64), "0" * 64, "model.gguf is not the expected one: its SHA-256 is"),
    ],
)
async def test_says_what_is_wrong_with_its_file_and_does_not_try_again(
    make_model: MakeModel, tmp_path: Path, content: bytes | None, sha256: str | None, message: str
) -> None:
    path = tmp_path / "model.gguf"
    if content is not None:
        path.write_bytes(content)

    model = await make_model(model=ModelFile(path, sha256))

    with pytest.raises(LocalModelUnavailable, match=message):
        await model.endpoint()
    assert model.status().state is LocalModelState.FAILED
    assert str(tmp_path) not in model.status().message
    await until(lambda: model._task is not None and model._task.done())
    assert model.pid is None


async def test_fails_the_start_of_the_product_when_eager(make_model: MakeModel, tmp_path: Path) -> None:
    with pytest.raises(LocalModelUnavailable, match="cannot be read"):
        await make_model(LocalModelMode.EAGER, model=ModelFile(tmp_path / "model.gguf", None))


async def test_the_packaged_file_is_the_pinned_one(make_model: MakeModel) -> None:
    pinned = installed_model()
    assert pinned.sha256 is not None

    model = await make_model(LocalModelMode.EAGER, model=pinned)

    assert model.status().state is LocalModelState.READY
