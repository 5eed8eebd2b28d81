"""Receivers of the audit log outside of this server: a webhook and a syslog server."""

import asyncio
import contextlib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import SplitResult, urlsplit

import httpx

from crewai_runner.core.clock import now
from crewai_runner.core.egress import EgressPolicy, guarded_client
from crewai_runner.core.errors import AppError
from crewai_runner.core.webhook_signature import sign
from crewai_runner.domain.audit_record import AuditRecord, AuditResult, dump_canonical, format_time

SEND_SECONDS = 10.0
OPERATOR_EGRESS = EgressPolicy(allow_private=True)
"""The operator chooses the address, so it may be private."""
AUDIT_FACILITY = 13
NOTICE, INFORMATIONAL = 5, 6


class NotReceived(Exception):
    """A receiver did not take rows. The message does not contain its address."""


class Receiver(Protocol):
    @property
    def name(self) -> str: ...

    async def send(self, rows: Sequence[AuditRecord]) -> None:
        """Send rows of one chain. Raises NotReceived."""


@dataclass(frozen=True, slots=True)
class WebhookReceiver:
    """Gets `{"entries": [...]}`, as exports show them."""

    url: str
    secret: str
    egress: EgressPolicy = OPERATOR_EGRESS
    name: str = "webhook"

    async def send(self, rows: Sequence[AuditRecord]) -> None:
        body = dump_canonical({"entries": [row.to_json() for row in rows]}).encode()
        headers = {"Content-Type": "application/json", "User-Agent": "crewai-runner"}
        headers |= sign(self.secret, rows[-1].id, int(now().timestamp()), body)
        try:
            async with (
                guarded_client(self.egress, timeout=SEND_SECONDS) as client,
                client.stream("POST", self.url, content=body, headers=headers) as response,
            ):
                status = response.status_code
        except httpx.HTTPError as error:
            raise NotReceived(type(error).__name__) from error
        except AppError as error:
            raise NotReceived(error.title) from error
        if not 200 <= status < 300:
            raise NotReceived(f"the receiver answered {status}")


@dataclass(frozen=True, slots=True)
class SyslogReceiver:
    """Gets a message (RFC 5424) for each row. Syslog confirms nothing: UDP can lose messages unnoticed."""

    address: str
    name: str = "syslog"

    async def send(self, rows: Sequence[AuditRecord]) -> None:
        target = urlsplit(self.address)
        messages = [format_syslog(row) for row in rows]
        try:
            async with asyncio.timeout(SEND_SECONDS):
                if target.scheme == "udp":
                    await _send_datagrams(target, messages)
                else:
                    await _send_stream(target, messages)
        except (OSError, TimeoutError) as error:
            raise NotReceived(type(error).__name__) from error


def format_syslog(row: AuditRecord) -> bytes:
    severity = NOTICE if row.result == AuditResult.REFUSED else INFORMATIONAL
    header = f"<{AUDIT_FACILITY * 8 + severity}>1 {format_time(row.at)} - crewai-runner - audit -"
    return f"{header} {dump_canonical(row.to_json())}".encode()


async def _send_datagrams(target: SplitResult, messages: Sequence[bytes]) -> None:
    loop = asyncio.get_running_loop()
    address = (target.hostname or "", target.port or 0)
    transport, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, remote_addr=address)
    try:
        for message in messages:
            transport.sendto(message)
    finally:
        transport.close()


async def _send_stream(target: SplitResult, messages: Sequence[bytes]) -> None:
    context = ssl.create_default_context() if target.scheme == "tls" else None
    _, writer = await asyncio.open_connection(target.hostname, target.port, ssl=context)
    try:
        # Each message with its length in front (RFC 6587, 3.4.1).
        writer.writelines(b"%d %b" % (len(message), message) for message in messages)
        await writer.drain()
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
