"""Both sides of the bridge with a real sandbox between them."""

import asyncio
from pathlib import Path

import pytest

from crewai_runner.domain.project import EntryPoint, ProjectKind
from crewai_runner.domain.run_events import RunEvent
from crewai_runner.executor.projects.bridge.environment import (
    EnvironmentOptions,
    build_environment,
)
from crewai_runner.executor.projects.bridge.log_lines import LogLines
from crewai_runner.executor.projects.bridge.messages import InputRequestedMessage, StartMessage
from crewai_runner.executor.projects.bridge.server import BridgeServer
from crewai_runner.executor.projects.bridge.translator import BridgeTranslator
from crewai_runner.executor.projects.sandbox.bubblewrap import BubblewrapSandbox
from crewai_runner.executor.projects.sandbox.port import BRIDGE_SOCKET, Sandbox, SandboxSpec
from crewai_runner.executor.projects.sandbox.unsandboxed import UnsandboxedProcess
from tests.executor.projects.sandbox.runner import LIMITS, make_folders

SCRIPT = """
import os

def run():
    name = input("Your name: ")
    print("Hello", name)
    return {"key": os.environ["OPENAI_API_KEY"], "serper": os.environ["SERPER_API_KEY"]}
"""


@pytest.mark.parametrize(
    "sandbox", [BubblewrapSandbox(), UnsandboxedProcess()], ids=["bubblewrap", "unsandboxed"]
)
async def test_a_script_asks_prints_and_returns(sandbox: Sandbox, tmp_path: Path) -> None:
    folders = make_folders(tmp_path)
    (folders.work / "script.py").write_text(SCRIPT)
    events: list[RunEvent] = []

    async def ask(_question: InputRequestedMessage) -> str | None:
        return "Ada"

    layout = sandbox.lay_out(folders)
    options = EnvironmentOptions.of_layout(layout, "run-token", {"SERPER_API_KEY": "serper-secret"})
    command = (layout.python, "-m", "crewai_runner_bridge")
    spec = SandboxSpec(command, folders, layout, build_environment(options), limits=LIMITS)
    start = StartMessage(entry=EntryPoint(kind=ProjectKind.SCRIPT, path="script.py", name="run"))
    lines = LogLines("run-1", events.append)
    assert folders.sockets is not None
    socket = folders.sockets / BRIDGE_SOCKET
    async with BridgeServer(socket, start, BridgeTranslator("run-1"), events.append, ask) as server:
        process = await sandbox.start(spec, lines.feed)
        async with asyncio.timeout(60):
            end = await process.wait()
        await server.wait_disconnected()
    lines.close()

    assert [event.data.text for event in events if event.type == "log.line"] == ["Your name:", "Hello Ada"]
    assert end.status == 0
    assert server.result is not None
    assert server.result.model_dump()["json_output"] == {"key": "run-token", "serper": "serper-secret"}
