import asyncio
import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from crewai_runner.localmodel.child_main import CannotServe, check_model_file
from crewai_runner.localmodel.child_process import ChildCannotServe, ChildProcess, _environment
from crewai_runner.localmodel.installation import ModelFile
from tests.localmodel.conftest import has_exited, wait_until

PARENT = """
import asyncio, sys
from crewai_runner.localmodel.supervisor import LocalModelSupervisor

async def main():
    model = LocalModelSupervisor()
    await model.start()
    while model.pid is None:
        await asyncio.sleep(0.01)
    if sys.argv[1] == "ready":
        await model.endpoint()
    print(model.pid, flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


@pytest.mark.local_model
@pytest.mark.parametrize("phase", ["loading", "ready"])
async def test_child_exits_when_its_parent_is_killed(phase: str) -> None:
    command = [sys.executable, "-c", PARENT, phase]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as parent:
        assert parent.stdout is not None
        lines = iter(parent.stdout.readline, b"")
        child = int(next(line for line in lines if line.strip().isdigit()))
        assert not has_exited(child)

        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()

    await wait_until(lambda: has_exited(child))


def test_child_imports_no_heavy_modules() -> None:
    script = "import sys, crewai_runner.localmodel.child_main; print(*sys.modules)"
    loaded = subprocess.check_output([sys.executable, "-c", script], text=True).split()

    heavy = {"pydantic", "asyncio", "httpx", "sqlalchemy", "fastapi", "structlog", "crewai", "xllamacpp"}
    assert heavy.isdisjoint(loaded)


def test_child_does_not_inherit_provider_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")

    assert "sk-canary" not in _environment(SecretStr("token")).values()


def test_child_limits_thread_spinning() -> None:
    assert _environment(SecretStr("token"))["GOMP_SPINCOUNT"] == "1000"


async def test_child_without_a_token_cannot_serve(tmp_path: Path) -> None:
    child = await ChildProcess.spawn(ModelFile(tmp_path / "model.gguf", None), SecretStr(""), 0)
    try:
        with pytest.raises(ChildCannotServe, match="LOCAL_MODEL_TOKEN is not set"):
            await child.wait_until_ready(60)
    finally:
        await child.stop()


def test_wrong_hash_is_rejected(tmp_path: Path) -> None:
    file = tmp_path / "model.gguf"
    file.write_bytes(b"GGUF and more")

    with pytest.raises(CannotServe, match="SHA-256"):
        check_model_file(file, "00" * 32)


def test_right_hash_is_accepted(tmp_path: Path) -> None:
    file = tmp_path / "model.gguf"
    file.write_bytes(b"GGUF and more")

    check_model_file(file, hashlib.sha256(b"GGUF and more").hexdigest())


async def test_stop_kills_a_child_that_ignores_sigterm() -> None:
    ignores_sigterm = (
        "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); signal.pause()"
    )
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), asyncio.subprocess.PIPE)
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", ignores_sigterm, **pipes)
    assert process.stdout is not None
    await process.stdout.readline()

    await ChildProcess(process, SecretStr("token")).stop(grace_seconds=0.05)

    assert has_exited(process.pid)
