"""Runs the guest's side of the bridge as a process, without a sandbox, against a scripted provider."""

import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crewai_runner.core.secret_mask import TextMask
from crewai_runner.domain.project import EntryPoint, ProjectKind
from crewai_runner.domain.run_events import RunEvent
from crewai_runner.executor.projects import bridge
from crewai_runner.executor.projects.bridge.environment import EnvironmentOptions, build_environment
from crewai_runner.executor.projects.bridge.messages import (
    FinishedTask,
    InputRequestedMessage,
    StartMessage,
)
from crewai_runner.executor.projects.bridge.server import BridgeServer
from crewai_runner.executor.projects.bridge.translator import BridgeTranslator
from crewai_runner.executor.projects.task_record import RecordingTranslator, TaskRecord
from tests.support.scripted_provider import CallTools, RecordedRequest, Reply, Say

SAMPLE = Path(__file__).parent / "sample"
SITE = Path(bridge.__file__).parents[1] / "guest" / "site"
CREW = EntryPoint(kind=ProjectKind.CREW_CLASS, path="src/sample/crew.py", name="SampleCrew")


@dataclass
class GuestRun:
    """What one run of a project's process has reported."""

    server: BridgeServer
    translator: BridgeTranslator
    exit_code: int
    output: str
    events: list[RunEvent] = field(default_factory=list)
    questions: list[InputRequestedMessage] = field(default_factory=list)
    checkpoints: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def steps(self) -> list[tuple[str, str | None, str | None]]:
        return [(event.type, event.task_key, event.agent) for event in self.events]

    def data(self, event_type: str) -> Any:
        """Return the data of the only event of a type."""
        (event,) = [event for event in self.events if event.type == event_type]
        return event.data


@dataclass(frozen=True)
class Guest:
    """Starts processes of a project. `folder` is for the socket and the working directory."""

    folder: Path
    gateway: str
    python: Path = Path(sys.executable)
    project: Path = SAMPLE

    async def run(
        self,
        entry: EntryPoint,
        inputs: dict[str, Any] | None = None,
        answers: Sequence[str | None] = (),
        finished: Sequence[FinishedTask] = (),
        import_paths: Sequence[str] = (),
        checkpoints: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> GuestRun:
        """Run an entry point. `checkpoints` are those of an earlier run; those of this one are added."""
        stored = {} if checkpoints is None else dict(checkpoints)
        events: list[RunEvent] = []
        questions: list[InputRequestedMessage] = []

        async def ask(question: InputRequestedMessage) -> str | None:
            questions.append(question)
            return answers[len(questions) - 1]

        async def save_checkpoint(name: str, value: Mapping[str, Any]) -> None:
            stored[name] = value

        record = TaskRecord(stored, save_checkpoint, TextMask(()))
        known = {task.task_key: task for task in finished}
        translator = RecordingTranslator("run-1", known, TextMask(()), record)
        start = StartMessage(
            entry=entry,
            import_paths=import_paths,
            inputs=inputs or {},
            finished_tasks=finished,
            flow_states=record.flow_states,
        )
        async with BridgeServer(self.folder / "bridge.sock", start, translator, events.append, ask) as server:
            process = await asyncio.create_subprocess_exec(
                self.python,
                *("-m", "crewai_runner_bridge"),
                cwd=self.folder,
                env=self._environment(),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
            output, _ = await process.communicate()
            await server.wait_disconnected()
        await record.close()
        assert process.returncode is not None
        return GuestRun(server, translator, process.returncode, output.decode(), events, questions, stored)

    def _environment(self) -> dict[str, str]:
        options = EnvironmentOptions(
            token="run-token",
            gateway_url=self.gateway,
            egress_url="http://127.0.0.1:9",
            site=str(SITE),
            project=str(self.project),
            bridge_socket=str(self.folder / "bridge.sock"),
            storage=str(self.folder / "storage"),
        )
        return {"PATH": os.defpath, "HOME": str(self.folder), **build_environment(options)}


def reply_to_sample(request: RecordedRequest) -> Reply:
    """Play the sample's model, with native tool calls or ReAct texts, as the version of crewai expects."""
    text = request.text
    if "user is satisfied" in text:  # 0.86 asks the model what the feedback means
        return Say("True" if "make it shorter" in text else "False")
    if "make it shorter" in text:
        return _answer(request, "The short note.")
    if "Compose a note" in text:
        return _answer(request, "The first note.")
    if "FACT-42" in text:
        return _answer(request, "Facts about whales.")
    if request.tools:
        return CallTools([("lookup", {"subject": "whales"})])
    return Say('Thought: I need a fact.\nAction: lookup\nAction Input: {"subject": "whales"}\n')


def _answer(request: RecordedRequest, text: str) -> Reply:
    return Say(text if request.tools else f"Thought: I now know the answer\nFinal Answer: {text}")
