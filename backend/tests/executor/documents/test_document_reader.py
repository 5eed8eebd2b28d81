"""Files that parsers cannot read, or that are made to occupy them."""

import asyncio
import io
import zipfile
import zlib

import pytest
from openpyxl import Workbook
from pypdf import PdfWriter

from crewai_runner.executor.documents import document_reader
from crewai_runner.executor.documents.document_reader import (
    DocumentKind,
    DocumentUnreadable,
    find_kind,
    read_table,
    read_text,
)


def make_pdf(content: bytes, *, compress: bool = False) -> bytes:
    """Return a PDF of one page whose content stream is given."""
    data = zlib.compress(content, 9) if compress else content
    options = b"/Filter /FlateDecode " if compress else b""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources 6 0 R >>",
        b"<< " + options + b"/Length %d >>\nstream\n%b\nendstream" % (len(data), data),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Font << /F1 5 0 R >> >>",
    ]
    body = b"%PDF-1.4\n"
    offsets = []
    for number, one in enumerate(objects, 1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%b\nendobj\n" % (number, one)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return body + (
        b"xref\n0 7\n0000000000 65535 f \n%btrailer << /Size 7 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF"
        % (table, len(body))
    )


def make_workbook(rows: list[list[object]], sheet: str = "Prices") -> bytes:
    book, packed = Workbook(), io.BytesIO()
    active = book.active
    assert active is not None
    active.title = sheet
    for row in rows:
        active.append(row)
    book.save(packed)
    return packed.getvalue()


class TestReadText:
    async def test_pdf(self) -> None:
        pdf = make_pdf(b"BT /F1 12 Tf 72 700 Td (Returns within 30 days) Tj ET")

        assert "Returns within 30 days" in (await read_text(pdf, DocumentKind.PDF, 1000)).text

    async def test_csv_names_its_columns(self) -> None:
        document = await read_text(b"item,price\ntea,3\ncoffee,4\n", DocumentKind.CSV, 1000)

        assert document.text == "item: tea; price: 3\nitem: coffee; price: 4\n"

    async def test_text_is_cut(self) -> None:
        document = await read_text(b"x" * 100, DocumentKind.TEXT, 10)

        assert (document.text, document.is_cut) == ("x" * 10, True)

    @pytest.mark.parametrize(
        ("content", "kind", "reason"),
        [
            (b"\xff\x00\x12", DocumentKind.TEXT, "not text in UTF-8"),
            (b"a\x00b", DocumentKind.TEXT, "NUL"),
            (b"{", DocumentKind.JSON, "not JSON"),
            (b"[" * 200_000, DocumentKind.JSON, "nested too deeply"),
            (b"%PDF-1.7 nothing", DocumentKind.PDF, "damaged"),
            (b'a\n"' + b"x" * 200_000, DocumentKind.CSV, "field"),
        ],
    )
    async def test_reason_of_a_failure(self, content: bytes, kind: DocumentKind, reason: str) -> None:
        with pytest.raises(DocumentUnreadable, match=reason):
            await read_text(content, kind, 1000)

    async def test_protected_pdf(self) -> None:
        writer, packed = PdfWriter(), io.BytesIO()
        writer.add_blank_page(100, 100)
        writer.encrypt("secret", algorithm="RC4-128")
        writer.write(packed)

        with pytest.raises(DocumentUnreadable, match="password"):
            await read_text(packed.getvalue(), DocumentKind.PDF, 1000)

    async def test_pdf_bomb_ends(self) -> None:
        bomb = make_pdf(b"q " * 60_000_000, compress=True)

        with pytest.raises(DocumentUnreadable):
            await read_text(bomb, DocumentKind.PDF, 1000)

    async def test_slow_parser_is_killed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(document_reader, "MAX_SECONDS", 0.5)
        slow = make_pdf(b"BT /F1 12 Tf " + b"(x) Tj " * 400_000 + b"ET")

        with pytest.raises(DocumentUnreadable, match="too much time"):
            await read_text(slow, DocumentKind.PDF, 10**9)

    async def test_cancelling_ends_the_process(self) -> None:
        slow = make_pdf(b"BT /F1 12 Tf " + b"(x) Tj " * 400_000 + b"ET")
        reading = asyncio.create_task(read_text(slow, DocumentKind.PDF, 10**9))
        await asyncio.sleep(0.5)

        reading.cancel()
        await asyncio.wait([reading])

        document = await asyncio.wait_for(read_text(b"next", DocumentKind.TEXT, 10), 30)
        assert document.text == "next"


class TestReadTable:
    async def test_rows_of_a_sheet(self) -> None:
        book = make_workbook([["item", "price"], ["tea", 3], ["coffee", None]])

        table = await read_table(book, DocumentKind.XLSX, sheet="Prices", offset=1, max_rows=1)

        assert (table.rows, table.sheets, table.has_more) == ([["tea", "3"]], ["Prices"], True)

    async def test_unknown_sheet_names_the_others(self) -> None:
        with pytest.raises(DocumentUnreadable, match="it has: Prices"):
            await read_table(make_workbook([]), DocumentKind.XLSX, sheet="No", offset=0, max_rows=1)

    async def test_bomb_in_a_workbook_is_refused(self) -> None:
        packed = io.BytesIO(make_workbook([["x"]]))
        with zipfile.ZipFile(packed, "a", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("xl/media/zeros", b"\x00" * (300 * 1024 * 1024))

        with pytest.raises(DocumentUnreadable, match="too large"):
            await read_table(packed.getvalue(), DocumentKind.XLSX, sheet=None, offset=0, max_rows=1)

    async def test_entity_bomb_in_a_workbook_is_refused(self) -> None:
        entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
        evil = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e0 "ha">{entities}]><x>&e11;</x>'
        packed = io.BytesIO()
        with (
            zipfile.ZipFile(io.BytesIO(make_workbook([["x"]]))) as good,
            zipfile.ZipFile(packed, "w") as bad,
        ):
            for name in good.namelist():
                bad.writestr(name, evil if name == "xl/workbook.xml" else good.read(name))

        with pytest.raises(DocumentUnreadable):
            await read_table(packed.getvalue(), DocumentKind.XLSX, sheet=None, offset=0, max_rows=1)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("a.PDF", DocumentKind.PDF), ("b.xlsx", DocumentKind.XLSX), ("c.exe", None), ("README", None)],
)
def test_find_kind(name: str, kind: DocumentKind | None) -> None:
    assert find_kind(name) == kind
