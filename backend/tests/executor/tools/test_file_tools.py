"""The tools for the files of a run, called as a model calls them."""

from typing import Any

import pytest

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.core.secret_mask import TextMask
from crewai_runner.executor.run_files import RunFiles, StoredFile
from crewai_runner.executor.tools import file_tools
from crewai_runner.executor.tools.builtin import bind_builtin
from crewai_runner.executor.tools.calls import RunMaterials, ToolCalls
from crewai_runner.executor.tools.runner import CallOrigin, ToolCallFailed, ToolEgress
from crewai_runner.executor.tools.runners import make_runners
from tests.executor.documents.test_document_reader import make_pdf, make_workbook

STRICT = EgressPolicy(allow_private=False)


class Run:
    """A run with files, whose tools are called."""

    def __init__(self, **files: bytes) -> None:
        self.stored: list[StoredFile] = []
        given = [StoredFile(name.replace("__", "."), content) for name, content in files.items()]
        self.materials = RunMaterials(RunFiles(given, self.stored.append))
        self.calls = ToolCalls(make_runners(), ToolEgress(STRICT, STRICT), TextMask(()), self.materials)

    async def call(self, tool: str, **arguments: Any) -> str:
        return await self.calls.call(bind_builtin(tool), arguments, CallOrigin(run_id="r", task_key="draft"))


class TestTextFiles:
    async def test_write_append_list_and_read(self) -> None:
        run = Run()

        await run.call("write_file", path="out/notes.md", content="one\n")
        written = await run.call("write_file", path="out/notes.md", content="two\n", append=True)

        assert written == "Wrote 8 bytes to out/notes.md."
        assert await run.call("list_files", folder="out") == "out/notes.md (8 bytes)"
        assert await run.call("read_file", path="out/notes.md") == "one\ntwo\n"
        assert run.stored[-1] == StoredFile("out/notes.md", b"one\ntwo\n", "draft")

    async def test_long_file_is_read_in_parts(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(file_tools, "SHOWN_CHARACTERS", 3)
        run = Run(a__txt=b"abcdefg")

        first = await run.call("read_file", path="a.txt")

        assert first == "abc\n[4 characters follow; continue with start=3]"
        assert await run.call("read_file", path="a.txt", start=6) == "g"

    @pytest.mark.parametrize("path", ["../a.txt", "/etc/passwd", "a\x00.txt"])
    async def test_hostile_path_is_an_error_for_the_model(self, path: str) -> None:
        run = Run()

        with pytest.raises(ToolCallFailed):
            await run.call("write_file", path=path, content="x")
        with pytest.raises(ToolCallFailed):
            await run.call("read_file", path=path)

        assert run.stored == []

    async def test_other_kinds_name_their_tool(self) -> None:
        with pytest.raises(ToolCallFailed, match=r"a.pdf is not text\. Use read_pdf\."):
            await Run(a__pdf=b"\xff\xfe\x00\xd8").call("read_file", path="a.pdf")

    async def test_outside_of_a_run(self) -> None:
        calls = ToolCalls(make_runners(), ToolEgress(STRICT, STRICT), TextMask(()))

        with pytest.raises(ToolCallFailed, match="only in a run"):
            await calls.call(bind_builtin("list_files"), {})


class TestDocuments:
    async def test_pdf(self) -> None:
        run = Run(a__pdf=make_pdf(b"BT /F1 12 Tf 72 700 Td (Returns within 30 days) Tj ET"))

        assert "Returns within 30 days" in await run.call("read_pdf", path="a.pdf")

    async def test_rows_of_tables(self) -> None:
        run = Run(a__csv=b"item,price\ntea,3\ncoffee,4\n", b__xlsx=make_workbook([["x", 1], ["y", 2]]))

        assert await run.call("read_table", path="a.csv", first_row=2, max_rows=1) == (
            "2: tea | 3\n[more rows follow; continue with first_row=3]"
        )
        assert await run.call("read_table", path="b.xlsx") == "Sheets: Prices\n1: x | 1\n2: y | 2"

    async def test_damaged_file_is_an_error_for_the_model(self) -> None:
        with pytest.raises(ToolCallFailed, match="damaged"):
            await Run(a__xlsx=b"PK nothing").call("read_table", path="a.xlsx")

    async def test_no_table(self) -> None:
        with pytest.raises(ToolCallFailed, match=r"must end in \.csv or \.xlsx"):
            await Run(a__txt=b"x").call("read_table", path="a.txt")


class TestSearchKnowledge:
    async def test_pieces(self) -> None:
        run = Run()

        async def search(query: str, limit: int) -> list[str]:
            return [f"{query} {number}" for number in range(limit)][:2]

        run.materials.search_knowledge = search

        assert await run.call("search_knowledge", query="tea") == "tea 0\n\ntea 1"

    async def test_without_knowledge(self) -> None:
        with pytest.raises(ToolCallFailed, match="no knowledge files"):
            await Run().call("search_knowledge", query="tea")
