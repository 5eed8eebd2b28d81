"""`send_email` against a scripted mail server."""

import asyncio
import time
from dataclasses import replace
from email import message_from_bytes, policy
from typing import Any

import pytest
from pydantic import SecretStr

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.core.keyring import secret_parts
from crewai_runner.core.secret_mask import MASK, TextMask
from crewai_runner.executor.tool_binding import ToolBinding, ToolEffect
from crewai_runner.executor.tools.builtin import bind_builtin
from crewai_runner.executor.tools.calls import ToolCalls
from crewai_runner.executor.tools.runner import ToolCallFailed, ToolEgress
from crewai_runner.executor.tools.runners import make_runners
from tests.support.request_ledger import Ledger
from tests.support.scripted_smtp import ScriptedSmtp

PASSWORD = "canary-password-83hf72kd01"
HERE = EgressPolicy(allow_private=True)
MAIL: dict[str, Any] = {"to": ["ann@team.example"], "subject": "Tea", "text": "It is ready.\n.\nReally."}


def bind(smtp: ScriptedSmtp, **changes: Any) -> ToolBinding:
    config = {
        "kind": "smtp",
        "base_url": f"smtp://127.0.0.1:{smtp.port}",
        "username": "crew",
        "tls": "off",
        "sender": "crew@runner.example",
        "recipients": ["bob@other.example", "@team.example"],
        **changes,
    }
    binding = bind_builtin("send_email")
    return replace(binding, config={"connections": {"Post": config}}, secrets={"Post": SecretStr(PASSWORD)})


async def call(binding: ToolBinding, egress: EgressPolicy = HERE, **arguments: Any) -> str:
    mask = TextMask(secret_parts(*binding.secrets.values()))
    return await ToolCalls(make_runners(), ToolEgress(egress, egress), mask).call(binding, MAIL | arguments)


async def failure_of(binding: ToolBinding, egress: EgressPolicy = HERE, **arguments: Any) -> str:
    with pytest.raises(ToolCallFailed) as failure:
        await call(binding, egress, **arguments)
    assert PASSWORD not in str(failure.value)
    return str(failure.value)


class TestSending:
    async def test_sends_plain_text(self) -> None:
        async with ScriptedSmtp().listen() as smtp:
            result = await call(bind(smtp), to=["ann@team.example", "BOB@other.example"])

        assert result == "The email was sent to ann@team.example, BOB@other.example."
        assert smtp.logins == [f"\0crew\0{PASSWORD}"]
        mail = message_from_bytes(smtp.mails[0], policy=policy.default)
        assert (mail["From"], mail["Subject"]) == ("crew@runner.example", "Tea")
        assert mail["Auto-Submitted"] == "auto-generated"
        assert "It is ready." in mail.get_content()
        assert "Really." in mail.get_content()

    def test_asks_by_default(self) -> None:
        binding = bind_builtin("send_email")

        assert binding.effect is ToolEffect.WRITE
        assert binding.rules.find_policy("writer", writes=True) == "ask"

    async def test_says_what_the_server_refuses(self) -> None:
        async with ScriptedSmtp({"RCPT": "550 no such mailbox"}).listen() as smtp:
            assert "no such mailbox" in await failure_of(bind(smtp))
        async with ScriptedSmtp({"AUTH": f"535 not {PASSWORD}"}).listen() as smtp:
            message = await failure_of(bind(smtp))
            assert "rejected the user or password" in message
            assert MASK in message
        async with ScriptedSmtp({"DATA": "452 too many mails"}).listen() as smtp:
            assert "too many mails" in await failure_of(bind(smtp))

    async def test_huge_answer(self) -> None:
        async with ScriptedSmtp({"EHLO": "\r\n".join(["250-x"] * 300_000)}).listen() as smtp:
            assert "mail server Post" in await failure_of(bind(smtp))

    async def test_secrets_are_masked_in_the_mail(self) -> None:
        async with ScriptedSmtp().listen() as smtp:
            await call(bind(smtp), text=f"The password is {PASSWORD}.")

        assert PASSWORD.encode() not in smtp.mails[0]


class TestAttacks:
    @pytest.mark.parametrize(
        "arguments",
        [
            {"subject": "Tea\r\nBcc: eve@evil.example"},
            {"subject": "Tea\nBcc: eve@evil.example"},
            {"subject": "Tea\x0bBcc: x"},
            {"to": ["ann@team.example\r\nRCPT TO:<eve@evil.example>"]},
            {"to": ["ann@team.example, eve@evil.example"]},
            {"to": ["eve@evil.example"]},
            {"to": ["ann@team.example", "eve@evil.example"]},
            {"to": ["eve@sub.team.example"]},
            {"to": ["eve@evilteam.example"]},
            {"to": ["Eve <ann@team.example>"]},
            {"to": ['"ann@team.example" <eve@evil.example>']},
            {"to": ["eve@evil.example@team.example"]},
            {"to": []},
        ],
    )
    async def test_other_headers_and_recipients(self, arguments: dict[str, Any]) -> None:
        async with ScriptedSmtp().listen() as smtp:
            assert await failure_of(bind(smtp), **arguments)

        assert smtp.mails == []
        assert not any("evil" in command for command in smtp.commands)

    async def test_text_cannot_end_the_mail(self) -> None:
        async with ScriptedSmtp().listen() as smtp:
            await call(bind(smtp), text="a\r\n.\r\nMAIL FROM:<eve@evil.example>\r\n")

        assert len(smtp.mails) == 1
        assert not any("evil" in command for command in smtp.commands)

    async def test_password_is_not_sent_without_the_encryption_that_was_asked_for(self) -> None:
        for tls in ("verify", "encrypt"):
            async with ScriptedSmtp().listen() as smtp:
                assert await failure_of(bind(smtp, tls=tls))
            assert smtp.logins == []

    async def test_private_addresses_are_refused(self) -> None:
        async with ScriptedSmtp().listen() as smtp:
            assert "private network" in await failure_of(bind(smtp), EgressPolicy(allow_private=False))

        assert smtp.commands == []


class TestConnection:
    async def test_is_in_the_ledger(self) -> None:
        ledger = Ledger()
        async with ScriptedSmtp().listen() as smtp:
            await call(bind(smtp), replace(HERE, observer=ledger))

        [entry] = ledger.entries
        assert (entry.host, entry.port) == ("127.0.0.1", smtp.port)
        assert entry.sent > 100

    async def test_ends_in_time(self) -> None:
        async with ScriptedSmtp({"MAIL": ""}).listen() as smtp:
            message = await failure_of(replace(bind(smtp), timeout_seconds=0.5))

        assert message == "send_email did not answer within 0.5 seconds."

    async def test_a_stop_cuts_the_connection(self) -> None:
        async with ScriptedSmtp({"MAIL": ""}).listen() as smtp:
            running = asyncio.create_task(call(bind(smtp)))
            while not any(command.startswith("MAIL") for command in smtp.commands):
                await asyncio.sleep(0.02)
            stopped_at = time.monotonic()
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            while not smtp.hang_ups:
                await asyncio.sleep(0.02)

        assert time.monotonic() - stopped_at < 1
