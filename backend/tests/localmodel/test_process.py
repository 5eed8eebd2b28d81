import asyncio
import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from crewai_runner.localmodel.child import Refusal, check_model_file
from crewai_runner.localmodel.install import ModelFile
from crewai_runner.localmodel.process import ChildProcess, ChildRefused, _environment
from tests.localmodel.conftest import gone, until

PARENT = """
import asyncio, sys
from crewai_runner.localmodel.supervisor import LocalModel

async def main():
    model = LocalModel()
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
@pytest.mark.parametrize("moment", ["loading", "ready"])
async def test_the_child_goes_when_its_parent_is_killed(moment: str) -> None:
    command = [sys.executable, "-c", PARENT, moment]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as parent:
        assert parent.stdout is not None
        lines = iter(parent.stdout.readline, b"")
        child = int(next(line for line in lines if line.strip().isdigit()))
        assert not gone(child)

        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()

    await until(lambda: gone(child))


def test_the_child_imports_nothing_heavy() -> None:
    script = "import sys, crewai_runner.localmodel.child; print(*sys.modules)"
    loaded = subprocess.check_output([sys.executable, "-c", script], text=True).split()

    heavy = {"pydantic", "asyncio", "httpx", "sqlalchemy", "fastapi", "structlog", "crewai", "xllamacpp"}
    assert heavy.isdisjoint(loaded)


def test_the_child_gets_no_keys_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-precious")

    assert "sk-precious" not in _environment(SecretStr("token")).values()


def test_threads_of_the_child_do_not_spin_for_long() -> None:
    assert _environment(SecretStr("token"))["GOMP_SPINCOUNT"] == "1000"


async def test_a_child_without_a_token_refuses_to_serve(tmp_path: Path) -> None:
    child = await ChildProcess.spawn(ModelFile(tmp_path / "model.gguf", None), SecretStr(""), 0)
    try:
        with pytest.raises(ChildRefused, match="LOCAL_MODEL_TOKEN is not set"):
            await child.hello(60)
    finally:
        await child.stop()


def test_a_file_with_another_hash_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "model.gguf"
    file.write_bytes(b"GGUF and more")

    with pytest.raises(Refusal, match="SHA-256"):
        check_model_file(file, "00" * 32)


def test_a_file_with_the_right_hash_passes(tmp_path: Path) -> None:
    file = tmp_path / "model.gguf"
    file.write_bytes(b"GGUF and more")

    check_model_file(file, hashlib.sha256(b"GGUF and more").hexdigest())


async def test_stopping_ends_a_child_that_ignores_the_polite_signal() -> None:
    deaf = (
        "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); signal.pause()"
    )
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), asyncio.subprocess.PIPE)
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", deaf, **pipes)
    assert process.stdout is not None
    await process.stdout.readline()

    await ChildProcess(process, SecretStr("token")).stop(grace_seconds=0.05)

    assert gone(process.pid)
