"""Exports: JSON lines that can be verified, CSV that a spreadsheet shows as it is."""

import csv
import io
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from crewai_runner.features.audit import service
from crewai_runner.operations.audit import verify_file
from crewai_runner.operations.errors import OperationError
from crewai_runner.wiring.container import Container
from tests.features.audit.test_chain import add, add_sealed, make_row
from tests.support.harness import ON_SQLITE
from tests.support.teams import Team

pytestmark = ON_SQLITE


@pytest.fixture
async def exported(
    container: Container, app: FastAPI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """An export of two chains, read in several pieces."""
    monkeypatch.setattr(service, "EXPORT_ROWS", 3)
    await add_sealed(container, 7, "ws_default")
    await add_sealed(container, 2, "")
    await add(container, make_row("ws_default"))
    answer = await Team(container, app).get("/audit/export")
    assert answer.headers["content-type"] == "application/x-ndjson"
    file = tmp_path / "audit-log.jsonl"
    file.write_bytes(answer.content)
    return file


class TestJsonLines:
    async def test_export_is_verified(self, exported: Path) -> None:
        lines, status = verify_file(exported)

        assert status == 0
        assert lines[:3] == [
            "server: 2 entries verified",
            "ws_default: 7 entries verified",
            "1 entries were not sealed yet when they were exported.",
        ]

    @pytest.mark.parametrize("position", [10, 200, -10])
    async def test_flipped_byte_is_found(self, exported: Path, position: int) -> None:
        lines = exported.read_bytes().splitlines()
        line = bytearray(lines[3])
        line[position] ^= 1
        exported.write_bytes(b"\n".join([*lines[:3], bytes(line), *lines[4:]]))

        try:
            found = verify_file(exported)[1] == 1
        except OperationError as error:
            found = "Line 4" in str(error)
        assert found

    async def test_removed_line_is_found(self, exported: Path) -> None:
        lines = exported.read_bytes().splitlines()
        exported.write_bytes(b"\n".join([*lines[:3], *lines[4:]]))

        described, status = verify_file(exported)

        assert status == 1
        assert "row 4 is missing before row 5" in described[1]


class TestCsv:
    async def test_has_one_line_for_each_entry(self, container: Container, app: FastAPI) -> None:
        await add(container, make_row("ws_default", request_id="-1+1"))
        answer = await Team(container, app).get("/audit/export?format=csv")

        [row] = csv.DictReader(io.StringIO(answer.text))

        assert answer.headers["content-disposition"] == 'attachment; filename="audit-log.csv"'
        assert row["operation"] == "models:update_model"
        assert row["changes"] == '[{"after":"b","before":"a","field":"model.name"}]'
        assert row["requestId"] == "'-1+1"  # no formula


async def test_filters_apply(container: Container, client: httpx.AsyncClient) -> None:
    await add(container, make_row("ws_default"), make_row("ws_default", operation="models:delete_model"))

    answer = await client.get("/audit/export?operation=models:delete_model")

    assert len(answer.text.splitlines()) == 1
