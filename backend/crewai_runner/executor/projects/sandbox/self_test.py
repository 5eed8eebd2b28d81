"""The self-test: whether the sandbox of this machine holds, tried with the command line that runs use."""

import asyncio
import json
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from crewai_runner.executor.projects.sandbox.port import (
    Folders,
    OutputStream,
    Sandbox,
    SandboxFailed,
    SandboxLimits,
    SandboxSpec,
)

TIMEOUT_SECONDS = 60.0
_NAMES = {
    "files": "reads files of the server",
    "network": "reaches the network",
    "processes": "sees other processes",
    "environment": "reads the server's environment",
    "writing": "writes outside its folder",
    "sockets": "reaches the service that runs it",
    "rights": "has or gains rights",
}


@dataclass(frozen=True, slots=True)
class SandboxProbe:
    """The result of the self-test. `hint` says what to do when the sandbox does not hold, else empty."""

    is_holding: bool
    message: str
    hint: str = ""


async def probe_sandbox(sandbox: Sandbox, data_dir: Path) -> SandboxProbe:
    """Run a program in the sandbox that tries to escape. Takes about 0.3 s; leaves nothing behind."""
    hint = sandbox.find_hint("")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="crewai-runner-self-test-")))
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                found = await _try_to_escape(sandbox, folder, data_dir)
        except SandboxFailed as error:
            return SandboxProbe(False, str(error), sandbox.find_hint(str(error)))
        except (TimeoutError, ValueError, OSError) as error:
            return SandboxProbe(False, f"The self-test failed: {error or 'it took too long'}", hint)
    if found:
        texts = [f"{_NAMES.get(name, name)} ({', '.join(places)[:200]})" for name, places in found.items()]
        return SandboxProbe(False, f"A program in the sandbox {'; '.join(texts)}", hint)
    return SandboxProbe(True, f"{sandbox.name} holds: the self-test could not escape")


async def _try_to_escape(sandbox: Sandbox, folder: Path, data_dir: Path) -> dict[str, list[str]]:
    """Return the attempts that succeeded. Raises SandboxFailed, and ValueError if there is no answer."""
    work = folder / "work"
    work.mkdir()
    secret = folder / "secret"
    secret.write_text("secret", encoding="ascii")
    secret.chmod(0o644)
    listener = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    targets = sandbox.escape_targets
    attempts = {
        "files": [str(secret), *(str(path) for path in _list_files(data_dir)), *targets.files],
        "writing": list(targets.written),
        "sockets": list(targets.sockets),
        "network": [listener.sockets[0].getsockname()[1]],
        "processes": ["crewai-runner", "crewai_runner", "pytest"],
    }
    folders = Folders(work=work)
    layout = sandbox.lay_out(folders)
    output: dict[OutputStream, bytes] = {OutputStream.STDOUT: b"", OutputStream.STDERR: b""}

    def collect(stream: OutputStream, data: bytes) -> None:
        output[stream] += data

    spec = SandboxSpec(
        (layout.python, "-I", "-S", "-B", f"{layout.guest}/escape_attempts.py"),
        folders,
        layout,
        environment={"ATTEMPTS": json.dumps(attempts)},
        limits=SandboxLimits(output=100_000, processes=64),
    )
    try:
        process = await sandbox.start(spec, collect)
        try:
            await process.wait()
        finally:
            await process.kill()
    finally:
        listener.close()
    if not output[OutputStream.STDOUT]:
        raise ValueError(output[OutputStream.STDERR].decode("utf-8", "replace").strip()[-300:] or "no output")
    found: dict[str, list[str]] = json.loads(output[OutputStream.STDOUT])
    return found


def _list_files(data_dir: Path) -> list[Path]:
    """Return some files of the data folder; it may not exist yet."""
    if not data_dir.is_dir():
        return []
    return sorted(path.absolute() for path in data_dir.iterdir() if path.is_file())[:20]
