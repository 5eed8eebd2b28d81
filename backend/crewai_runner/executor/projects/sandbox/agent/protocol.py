"""What workers and the sandbox service say to each other: lines of JSON, some of them followed by bytes.

A connection runs one command. The service begins with `hello`. The worker sends `start`, the files of the
work folder (`folder`, `file` and the `data` of each) and `end`. The service answers `started` or `failed`,
then `output` as it arrives, `exited`, the files that the command has written, and `end`. The worker may send
`terminate` and `kill` at any time. The end of the connection kills the command.
"""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from crewai_runner.executor.projects.sandbox.port import EndCause, OutputStream, SandboxLimits

PROTOCOL_VERSION = 1
MAX_LINE_BYTES = 4 * 1024**2
MAX_DATA_BYTES = 1024**2
BUFFER_BYTES = MAX_LINE_BYTES + MAX_DATA_BYTES
Name = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class MalformedMessage(Exception):
    """The other side does not follow the protocol."""


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    size: int = Field(0, ge=0, le=MAX_DATA_BYTES)
    """The number of bytes that follow the line."""


class Hello(_Message):
    type: Literal["hello"] = "hello"
    version: int
    product: str


class Start(_Message):
    """`name` is the name of the run's folder, `readable` what the command may read beside the system."""

    type: Literal["start"] = "start"
    name: Name
    command: tuple[str, ...] = Field(min_length=1)
    environment: dict[str, str]
    directory: str
    readable: tuple[str, ...]
    sockets: str | None
    limits: SandboxLimits


class Folder(_Message):
    type: Literal["folder"] = "folder"
    path: str


class File(_Message):
    """A regular file; its content is in the `data` messages that follow."""

    type: Literal["file"] = "file"
    path: str
    is_executable: bool = False


class Data(_Message):
    type: Literal["data"] = "data"


class End(_Message):
    """The end of the files; `left_out` counts those that exceed the limits."""

    type: Literal["end"] = "end"
    left_out: int = Field(0, ge=0)


class Started(_Message):
    type: Literal["started"] = "started"


class Failed(_Message):
    type: Literal["failed"] = "failed"
    reason: str


class Output(_Message):
    type: Literal["output"] = "output"
    stream: OutputStream


class Exited(_Message):
    type: Literal["exited"] = "exited"
    status: int = Field(ge=0, le=255)
    cause: EndCause


class Terminate(_Message):
    type: Literal["terminate"] = "terminate"


class Kill(_Message):
    type: Literal["kill"] = "kill"


Message = Hello | Start | Folder | File | Data | End | Started | Failed | Output | Exited | Terminate | Kill
_MESSAGES: TypeAdapter[Message] = TypeAdapter(Annotated[Message, Field(discriminator="type")])


@dataclass(slots=True)
class Channel:
    """One side of a connection. Messages are sent whole, also by several tasks."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    _sending: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def send(self, message: Message, data: bytes = b"") -> None:
        """Send a message with its bytes. Raises OSError when the other side has gone."""
        line = json.dumps(message.model_dump(mode="json") | {"size": len(data)}).encode()
        async with self._sending:
            self.writer.write(line + b"\n" + data)
            await self.writer.drain()

    async def receive(self) -> tuple[Message, bytes] | None:
        """Return the next message with its bytes; None at the end. Raises MalformedMessage, OSError."""
        try:
            line = await self.reader.readuntil(b"\n")
            message = _MESSAGES.validate_json(line)
            return message, await self.reader.readexactly(message.size)
        except asyncio.IncompleteReadError:
            return None
        except (ValidationError, asyncio.LimitOverrunError) as error:
            raise MalformedMessage(str(error)[:300]) from error

    def close(self) -> None:
        self.writer.close()
