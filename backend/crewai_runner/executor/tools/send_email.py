"""The tool `send_email`: plain text by the mail server of a connection, to recipients that it allows."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, make_msgid
from typing import Any

import aiosmtplib
import certifi
import httpx

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.core.url_validation import UrlRefused, get_port
from crewai_runner.domain.connection import ConnectionTls
from crewai_runner.domain.email_address import find_address_problem
from crewai_runner.executor.tool_binding import ToolBinding
from crewai_runner.executor.tools.connections import choose_connection
from crewai_runner.executor.tools.guarded_relay import GuardedRelay, open_relay
from crewai_runner.executor.tools.http_exchange import CredentialsRejected
from crewai_runner.executor.tools.runner import ToolCallFailed, ToolContext

REPLY_SECONDS = 20.0
MAX_RECEIVED = 1_000_000


@dataclass(frozen=True, slots=True)
class MailServer:
    """A mail server, by the settings of its connection."""

    name: str
    url: httpx.URL
    username: str | None
    password: str
    tls: ConnectionTls
    sender: str
    recipients: Sequence[str]

    def allows(self, address: str) -> bool:
        """Return whether emails may be sent to an address."""
        domain = f"@{address.rpartition('@')[2]}"
        allowed = {recipient.lower() for recipient in self.recipients}
        return address.lower() in allowed or domain.lower() in allowed


async def send_email(binding: ToolBinding, arguments: dict[str, Any], context: ToolContext) -> str:
    """Send one email; return who it was sent to."""
    name, config, password = choose_connection(binding, arguments.get("connection"))
    server = read_mail_server(name, config["base_url"], config, password)
    recipients = _check_recipients(server, arguments["to"])
    message = _make_message(server, recipients, arguments["subject"], arguments["text"])
    async with _connect(server, context.egress.connections) as client:
        refused, _ = await client.send_message(message, sender=server.sender, recipients=recipients)
    accepted = [address for address in recipients if address not in refused]
    text = f"The email was sent to {', '.join(accepted)}."
    return f"{text} The server refused: {', '.join(sorted(refused))}." if refused else text


async def check_mail_server(server: MailServer, egress: EgressPolicy) -> None:
    """Sign in to a mail server without sending anything. Raises ToolCallFailed."""
    async with _connect(server, egress) as client:
        await client.noop()


def read_mail_server(name: str, base_url: str, options: Mapping[str, Any], password: str) -> MailServer:
    """Return the mail server of a connection of kind `smtp`."""
    return MailServer(
        name=name,
        url=httpx.URL(base_url),
        username=options["username"],
        password=password,
        tls=ConnectionTls(options["tls"]),
        sender=options["sender"] or "",
        recipients=options["recipients"],
    )


def _check_recipients(server: MailServer, addresses: Sequence[str]) -> list[str]:
    recipients = list(dict.fromkeys(address.strip() for address in addresses))
    for address in recipients:
        problem = find_address_problem(address)
        if problem is not None:
            raise ToolCallFailed(f"{address[:100]!r}: {problem}")
        if not server.allows(address):
            allowed = ", ".join(server.recipients)
            raise ToolCallFailed(
                f"The connection {server.name} does not allow emails to {address}; it allows {allowed}."
            )
    return recipients


def _make_message(server: MailServer, recipients: Sequence[str], subject: str, text: str) -> EmailMessage:
    if any(character < " " for character in subject):
        raise ToolCallFailed("The subject must be one line, without control characters.")
    message = EmailMessage(policy=SMTP)
    message["From"] = server.sender
    message["To"] = ", ".join(recipients)
    message["Subject"] = subject
    message["Date"] = formatdate(localtime=False)
    message["Message-ID"] = make_msgid(domain=server.sender.rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    return message


@contextlib.asynccontextmanager
async def _connect(server: MailServer, egress: EgressPolicy) -> AsyncIterator[aiosmtplib.SMTP]:
    """Sign in to a mail server. Raises ToolCallFailed, also for what fails in the block."""
    host = server.url.raw_host.decode("ascii").strip("[]")
    try:
        async with open_relay(egress, host, get_port(server.url), MAX_RECEIVED) as relay:
            try:
                client = await _sign_in(server, host, relay)
                try:
                    yield client
                    await client.quit()
                finally:
                    client.close()
            except (aiosmtplib.SMTPException, OSError) as error:
                raise _describe(server, error, relay.error) from error
    except UrlRefused as error:
        raise ToolCallFailed(error.detail) from error


async def _sign_in(server: MailServer, host: str, relay: GuardedRelay) -> aiosmtplib.SMTP:
    connection = socket.socket()
    connection.setblocking(False)
    try:
        await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", relay.port))
        uses_tls = server.url.scheme == "smtps"
        client = aiosmtplib.SMTP(
            hostname=host,
            sock=connection,
            use_tls=uses_tls,
            start_tls=not uses_tls and server.tls is not ConnectionTls.OFF,
            tls_context=_make_tls_context(server.tls),
            timeout=REPLY_SECONDS,
            local_hostname="localhost",
        )
        await client.connect()
    except BaseException:
        connection.close()
        raise
    if server.username is not None:
        await client.login(server.username, server.password)
    return client


def _make_tls_context(tls: ConnectionTls) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=certifi.where())
    if tls is not ConnectionTls.VERIFY:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _describe(server: MailServer, error: Exception, cause: Exception | None) -> ToolCallFailed:
    if isinstance(error, aiosmtplib.SMTPAuthenticationError):
        return CredentialsRejected(f"{server.name} rejected the user or password: {error.message}")
    if cause is not None:
        return ToolCallFailed(f"The mail server {server.name} was not reached: {cause}.")
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        reasons = "; ".join(f"{one.recipient}: {one.message}" for one in error.recipients)
        return ToolCallFailed(f"{server.name} refused the recipients: {reasons}")
    return ToolCallFailed(f"The mail server {server.name} did not take the email: {error}")
