"""Sending the log to a webhook and to syslog: in order, at least once, also after failures."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from sqlalchemy import update

from crewai_runner.core.webhook_signature import sign
from crewai_runner.db.session import unit_of_work
from crewai_runner.db.tables.audit import AuditDeliveryRow
from crewai_runner.domain.audit_record import AuditRecord
from crewai_runner.features.audit import deliveries
from crewai_runner.features.audit.deliveries import AuditDeliveries
from crewai_runner.features.audit.receivers import NotReceived, Receiver, SyslogReceiver, WebhookReceiver
from crewai_runner.wiring.container import Container
from tests.features.audit.test_chain import add_sealed
from tests.support.harness import ON_SQLITE

pytestmark = pytest.mark.each_database


@dataclass
class Recorder:
    """A receiver that fails as often as it is told."""

    failures: int = 0
    name: str = "webhook"
    received: list[int] = field(default_factory=list)

    async def send(self, rows: Sequence[AuditRecord]) -> None:
        if self.failures:
            self.failures -= 1
            raise NotReceived("the receiver answered 503")
        self.received += [row.seq or 0 for row in rows]


def make(container: Container, *receivers: Receiver) -> AuditDeliveries:
    return AuditDeliveries(container.sessions, container.reader, receivers)


class TestDeliveries:
    async def test_sends_each_row_in_order(
        self, container: Container, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(deliveries, "ROWS_AT_ONCE", 3)
        await add_sealed(container, 7)
        recorder = Recorder()

        await make(container, recorder).send_all()
        await add_sealed(container, 2)
        await make(container, recorder).send_all()
        await make(container, recorder).send_all()

        assert recorder.received == list(range(1, 10))

    async def test_tries_again_after_a_failure(self, container: Container) -> None:
        await add_sealed(container, 3)
        recorder = Recorder(failures=1)

        await make(container, recorder).send_all()
        await make(container, recorder).send_all()  # not yet
        assert recorder.received == []
        async with unit_of_work(container.sessions) as session:
            await session.execute(update(AuditDeliveryRow).values(next_at=None))
        await make(container, recorder).send_all()

        assert recorder.received == [1, 2, 3]

    async def test_two_processes_do_not_send_the_same(self, container: Container) -> None:
        await add_sealed(container, 5)
        recorder = Recorder()

        await asyncio.gather(*(make(container, recorder).send_all() for _ in range(3)))

        assert recorder.received == [1, 2, 3, 4, 5]


@asynccontextmanager
async def tcp_server(answer: bytes = b"") -> AsyncIterator[tuple[int, list[bytes]]]:
    """The port of a server, and what it has received on each connection."""
    received: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.append(await (reader.readuntil(b"]}") if answer else reader.read()))
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], received


async def read_records(container: Container) -> list[AuditRecord]:
    await add_sealed(container, 2)
    found: list[AuditRecord] = []

    class Keep(Recorder):
        async def send(self, rows: Sequence[AuditRecord]) -> None:
            found.extend(rows)

    await make(container, Keep()).send_all()
    return found


@ON_SQLITE
class TestReceivers:
    async def test_webhook_is_signed(self, container: Container) -> None:
        rows = await read_records(container)
        async with tcp_server(b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n") as (port, received):
            await WebhookReceiver(f"http://127.0.0.1:{port}/audit", "a-secret-of-webhooks").send(rows)

        head, _, body = received[0].partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().splitlines()[1:])
        headers = {name.lower(): value for name, value in headers.items()}
        timestamp = int(headers["webhook-timestamp"])
        expected = sign("a-secret-of-webhooks", rows[-1].id, timestamp, body)
        assert headers["webhook-signature"] == expected["webhook-signature"]
        assert [entry["seq"] for entry in json.loads(body)["entries"]] == [1, 2]

    @pytest.mark.parametrize("url", ["http://169.254.169.254/latest", "http://127.0.0.1:9/"])
    async def test_webhook_that_cannot_be_reached(self, container: Container, url: str) -> None:
        rows = await read_records(container)

        with pytest.raises(NotReceived) as failed:
            await WebhookReceiver(url, "a-secret-of-webhooks").send(rows)

        assert "127.0.0.1" not in str(failed.value)

    async def test_syslog_over_tcp(self, container: Container) -> None:
        rows = await read_records(container)
        async with tcp_server() as (port, received):
            await SyslogReceiver(f"tcp://127.0.0.1:{port}").send(rows)
            await asyncio.sleep(0)

        length, _, rest = received[0].partition(b" ")
        message = rest[: int(length)].decode()
        assert message.startswith("<110>1 20")
        header, _, body = message.partition(" - audit - ")
        assert header.endswith(" - crewai-runner")
        assert json.loads(body)["hash"] == rows[0].hash

    async def test_syslog_over_udp(self, container: Container) -> None:
        rows = await read_records(container)
        loop, received = asyncio.get_running_loop(), asyncio.Queue[bytes]()

        class Server(asyncio.DatagramProtocol):
            def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
                received.put_nowait(data)

        transport, _ = await loop.create_datagram_endpoint(Server, local_addr=("127.0.0.1", 0))
        await SyslogReceiver(f"udp://127.0.0.1:{transport.get_extra_info('sockname')[1]}").send(rows)
        messages = [await received.get() for _ in rows]
        transport.close()

        assert [json.loads(m.partition(b" - audit - ")[2])["seq"] for m in messages] == [1, 2]

    async def test_syslog_that_is_not_there(self, container: Container) -> None:
        with pytest.raises(NotReceived):
            await SyslogReceiver("tcp://127.0.0.1:9").send(await read_records(container))
