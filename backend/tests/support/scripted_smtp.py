"""A mail server that takes mails and remembers them."""

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

from tests.support.servers import server


@dataclass
class ScriptedSmtp:
    """`answers` replace the usual answer to a command, such as `{"RCPT": "550 no"}`; "" is silence."""

    answers: Mapping[str, str] = field(default_factory=dict)
    commands: list[str] = field(default_factory=list)
    mails: list[bytes] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    hang_ups: int = 0
    port: int = 0

    @contextlib.asynccontextmanager
    async def listen(self) -> AsyncIterator["ScriptedSmtp"]:
        async with server(self._serve) as port:
            self.port = port
            yield self

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await self._send(writer, "220", "220 mail.example ready")
            while line := (await reader.readline()).decode().strip():
                self.commands.append(line)
                command = line.split(" ", 1)[0].upper()
                await self._send(writer, command, self._answer(line, command))
                if command == "DATA" and self.answers.get("DATA") is None:
                    self.mails.append(await reader.readuntil(b"\r\n.\r\n"))
                    await self._send(writer, ".", "250 taken")
                if command == "QUIT":
                    break
        self.hang_ups += 1
        writer.close()

    def _answer(self, line: str, command: str) -> str:
        if command == "EHLO":
            return "250-mail.example\r\n250 AUTH PLAIN"
        if command == "AUTH":
            self.logins.append(base64.b64decode(line.rsplit(" ", maxsplit=1)[-1]).decode())
            return "235 welcome"
        return {"DATA": "354 go on", "QUIT": "221 bye"}.get(command, "250 fine")

    async def _send(self, writer: asyncio.StreamWriter, command: str, usual: str) -> None:
        answer = self.answers.get(command, usual)
        if answer:
            writer.write(answer.encode() + b"\r\n")
            await writer.drain()
