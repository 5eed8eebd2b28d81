"""Runs Python programs in a sandbox, for tests."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from crewai_runner.executor.projects.sandbox.port import (
    Folders,
    OutputStream,
    Sandbox,
    SandboxExit,
    SandboxLimits,
    SandboxProcess,
    SandboxSpec,
)

LIMITS = SandboxLimits(processes=64, temporary_size=8 * 1024**2)


@dataclass
class Output:
    """What a command has printed."""

    parts: dict[OutputStream, bytes] = field(default_factory=lambda: defaultdict(bytes))
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, stream: OutputStream, data: bytes) -> None:
        self.parts[stream] += data
        self.arrived.set()

    @property
    def text(self) -> str:
        return self.parts[OutputStream.STDOUT].decode()

    @property
    def errors(self) -> str:
        return self.parts[OutputStream.STDERR].decode()

    async def wait_for(self, text: str) -> None:
        async with asyncio.timeout(30):
            while text not in self.text:
                self.arrived.clear()
                await self.arrived.wait()


@dataclass(frozen=True)
class Program:
    """A finished program."""

    exit: SandboxExit
    output: Output


@dataclass(frozen=True)
class ProgramRunner:
    """Runs Python source text in the sandbox, in the folder `work`."""

    sandbox: Sandbox
    folders: Folders

    def make_spec(
        self, source: str, environment: Mapping[str, str] | None = None, **changes: object
    ) -> SandboxSpec:
        layout = self.sandbox.lay_out(self.folders)
        spec = SandboxSpec(
            (layout.python, "-S", "-c", source), self.folders, layout, environment or {}, limits=LIMITS
        )
        return replace(spec, **changes)  # type: ignore[arg-type]

    async def start(self, source: str, **changes: object) -> tuple[SandboxProcess, Output]:
        output = Output()
        return await self.sandbox.start(self.make_spec(source, **changes), output.add), output

    async def run(self, source: str, **changes: object) -> Program:
        process, output = await self.start(source, **changes)
        return Program(await process.wait(), output)

    async def ask(self, source: str, **changes: object) -> str:
        """Run a program that must succeed, and return what it prints."""
        program = await self.run(source, **changes)
        assert (program.exit.status, program.output.errors) == (0, "")
        return program.output.text.strip()


def make_folders(root: Path) -> Folders:
    """Create a work folder and a folder of sockets, below a folder that only this user may enter."""
    private = root / "data"
    private.mkdir(mode=0o700)
    folders = Folders(work=private / "work", sockets=private / "sockets")
    for folder in (folders.work, folders.sockets):
        assert folder is not None
        folder.mkdir()
    return folders
