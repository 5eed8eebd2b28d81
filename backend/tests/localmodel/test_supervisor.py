import asyncio
import os
import signal
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest

from crewai_runner.core.setting_choices import LocalModelMode
from crewai_runner.localmodel.installation import ModelFile, installed_model
from crewai_runner.localmodel.status import (
    LocalModelEndpoint,
    LocalModelState,
    LocalModelUnavailable,
    RestartPolicy,
)
from crewai_runner.localmodel.supervisor import LocalModelSupervisor
from tests.localmodel.conftest import has_exited, wait_until

pytestmark = pytest.mark.local_model

MakeModel = Callable[..., Awaitable[LocalModelSupervisor]]


async def chat(endpoint: LocalModelEndpoint, token: str | None = None, **options: object) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token or endpoint.token.get_secret_value()}"}
    body = {"messages": [{"role": "user", "content": "Say hello."}], "max_tokens": 8, **options}
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        return await client.post(f"{endpoint.base_url}/chat/completions", json=body, headers=headers)


async def test_auto_mode_starts_in_the_background(make_model: MakeModel) -> None:
    model = await make_model()
    assert model.status().state is LocalModelState.STARTING

    response = await chat(await model.endpoint())

    assert response.status_code == 200
    assert response.json()["choices"][0]["message"]["content"].strip()
    assert model.status().state is LocalModelState.READY
    assert await model.is_healthy()


async def test_grammar_constrains_the_response(make_model: MakeModel) -> None:
    model = await make_model()

    response = await chat(await model.endpoint(), grammar='root ::= "yes" | "no"')

    assert response.json()["choices"][0]["message"]["content"] in {"yes", "no"}


async def test_wrong_token_gets_401(make_model: MakeModel) -> None:
    model = await make_model()

    response = await chat(await model.endpoint(), token="wrong-token")

    assert response.status_code == 401


async def test_repr_hides_the_token(make_model: MakeModel) -> None:
    endpoint = await (await make_model()).endpoint()

    assert endpoint.token.get_secret_value() not in repr(endpoint)


async def test_stop_ends_the_process(make_model: MakeModel) -> None:
    model = await make_model(LocalModelMode.EAGER)
    pid = model.pid
    assert pid is not None

    await model.stop()

    assert has_exited(pid)
    assert model.status().state is LocalModelState.OFF
    assert not await model.is_healthy()
    with pytest.raises(LocalModelUnavailable, match="stopped"):
        await model.endpoint()


async def test_stop_while_loading(make_model: MakeModel) -> None:
    model = await make_model()
    await wait_until(lambda: model.pid)
    pid = model.pid
    assert pid is not None

    await model.stop()

    assert has_exited(pid)


async def test_stop_kills_a_hanging_process(make_model: MakeModel) -> None:
    model = await make_model(LocalModelMode.EAGER)
    pid = model.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)

    await model.stop()

    assert has_exited(pid)


async def test_start_after_stop(make_model: MakeModel) -> None:
    model = await make_model(LocalModelMode.EAGER)
    await model.stop()

    await model.start()

    assert await model.is_healthy()


async def test_restarts_at_the_same_url_after_a_crash(make_model: MakeModel) -> None:
    model = await make_model(LocalModelMode.EAGER)
    before, pid = await model.endpoint(), model.pid
    assert pid is not None

    os.kill(pid, signal.SIGKILL)
    await wait_until(lambda: model.status().state is LocalModelState.STARTING)
    after = await model.endpoint()

    assert after == before
    assert model.pid != pid
    assert has_exited(pid)
    assert (await chat(after)).status_code == 200


async def test_replaces_a_process_that_stops_responding(make_model: MakeModel) -> None:
    restart_policy = RestartPolicy(probe_interval=0.05, probe_timeout=0.3, max_missed_probes=2)
    model = await make_model(LocalModelMode.EAGER, restart_policy=restart_policy)
    pid = model.pid
    assert pid is not None

    os.kill(pid, signal.SIGSTOP)

    await wait_until(lambda: has_exited(pid))
    assert (await chat(await model.endpoint())).status_code == 200


async def test_uses_another_port_when_its_own_is_in_use(make_model: MakeModel) -> None:
    taken = await (await make_model()).endpoint()
    model = LocalModelSupervisor()
    model._port = int(taken.base_url.rsplit(":", 1)[1].removesuffix("/v1"))
    await model.start()

    try:
        assert (await model.endpoint()).base_url != taken.base_url
    finally:
        await model.stop()


async def test_reports_failed_after_repeated_timeouts_and_keeps_retrying(make_model: MakeModel) -> None:
    restart_policy = RestartPolicy(
        start_timeout=0.01, initial_delay=0.01, max_delay=0.01, failures_before_report=2
    )
    model = await make_model(restart_policy=restart_policy)

    await wait_until(lambda: model.status().state is LocalModelState.FAILED)
    assert "not ready after 0.01 s" in model.status().message
    await wait_until(lambda: model.status().state is LocalModelState.STARTING)


async def test_a_waiter_that_times_out_does_not_affect_others(make_model: MakeModel) -> None:
    model = await make_model()

    with pytest.raises(LocalModelUnavailable, match="not ready"):
        await model.endpoint(timeout_seconds=0.001)

    assert (await model.endpoint()).base_url.startswith("http://127.0.0.1:")


async def test_endpoint_works_on_another_event_loop(make_model: MakeModel) -> None:
    model = await make_model(LocalModelMode.LAZY)
    found: list[LocalModelEndpoint] = []
    other = threading.Thread(target=lambda: found.append(asyncio.run(model.endpoint())))

    other.start()
    await wait_until(lambda: not other.is_alive())

    assert found == [await model.endpoint()]


async def test_lazy_mode_starts_on_first_use(make_model: MakeModel) -> None:
    model = await make_model(LocalModelMode.LAZY)
    assert model.pid is None
    assert model.status().state is LocalModelState.OFF

    await model.endpoint()

    assert model.pid is not None


async def test_off_mode_starts_nothing(make_model: MakeModel) -> None:
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
async def test_unusable_model_file_fails_permanently(
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
    await wait_until(lambda: model._task is not None and model._task.done())
    assert model.pid is None


async def test_eager_mode_raises_when_the_model_cannot_start(make_model: MakeModel, tmp_path: Path) -> None:
    with pytest.raises(LocalModelUnavailable, match="cannot be read"):
        await make_model(LocalModelMode.EAGER, model=ModelFile(tmp_path / "model.gguf", None))


async def test_packaged_model_file_matches_the_pinned_hash(make_model: MakeModel) -> None:
    pinned = installed_model()
    assert pinned.sha256 is not None

    model = await make_model(LocalModelMode.EAGER, model=pinned)

    assert model.status().state is LocalModelState.READY
