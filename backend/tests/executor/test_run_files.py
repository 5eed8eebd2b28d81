import pytest

from crewai_runner.executor import run_files
from crewai_runner.executor.run_files import RunFiles, StoredFile


class TestRunFiles:
    def test_written_file_is_stored_and_found(self) -> None:
        stored: list[StoredFile] = []
        files = RunFiles([StoredFile("in/a.txt", b"a")], stored.append)

        assert files.write("./out//b.txt", b"b", "draft") == "out/b.txt"

        assert files.read("out/b.txt") == b"b"
        assert files.list_paths() == [("in/a.txt", 1), ("out/b.txt", 1)]
        assert stored == [StoredFile("out/b.txt", b"b", "draft")]

    @pytest.mark.parametrize(
        "path",
        [
            "../a.txt",
            "a/../../b",
            "/etc/passwd",
            "C:\\x",
            "a\\b",
            "a\x00b",
            ".ssh/key",
            "x" * 201,
            "a/",
            "nul",
        ],
    )
    def test_no_path_leads_out(self, path: str) -> None:
        stored: list[StoredFile] = []

        with pytest.raises(ValueError, match=r"leads|absolute|character|hidden|longer|folder|reserved"):
            RunFiles(store=stored.append).write(path, b"")

        assert stored == []

    def test_unknown_file_names_the_others(self) -> None:
        with pytest.raises(ValueError, match=r"These exist: a\.txt"):
            RunFiles([StoredFile("a.txt", b"")]).read("../a")

    @pytest.mark.parametrize(
        ("limit", "value", "message"),
        [
            ("MAX_FILE_BYTES", 2, "A file can have"),
            ("MAX_FILES", 1, "A run can have 1 files"),
            ("MAX_TOTAL_BYTES", 5, "together"),
        ],
    )
    def test_limits(self, monkeypatch: pytest.MonkeyPatch, limit: str, value: int, message: str) -> None:
        monkeypatch.setattr(run_files, limit, value)
        files = RunFiles([StoredFile("a.txt", b"abc")])

        with pytest.raises(ValueError, match=message):
            files.write("b.txt", b"abc")

    def test_replacing_a_file_frees_its_bytes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(run_files, "MAX_TOTAL_BYTES", 5)
        files = RunFiles([StoredFile("a.txt", b"abcde")])

        files.write("a.txt", b"fghij")

        assert files.read("a.txt") == b"fghij"
