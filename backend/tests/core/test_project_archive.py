"""Uploaded projects: which files count, and which archives are refused."""

import io
import stat
import zipfile
from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crewai_runner.core import project_archive
from crewai_runner.core.environment_file import parse_environment_file
from crewai_runner.core.project_archive import hash_files, read_project_archive
from crewai_runner.core.zip_archive import ArchiveRefused


def zip_of(*entries: tuple[str | zipfile.ZipInfo, str | bytes]) -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry, content in entries:
            archive.writestr(entry, content)
    return body.getvalue()


def entry(name: str, mode: int = stat.S_IFREG | 0o644, year: int = 2025) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, (year, 3, 1, 12, 0, 0))
    info.external_attr = mode << 16
    return info


class TestReadProjectArchive:
    def test_strips_the_top_folder(self) -> None:
        archive = read_project_archive(
            zip_of(("news-main/", ""), ("news-main/main.py", "1"), ("news-main/a/b", "2"))
        )

        assert archive.files == {"main.py": b"1", "a/b": b"2"}

    @pytest.mark.parametrize("names", [("src/main.py",), ("main.py", "a/b.py"), ("a/main.py", "b/main.py")])
    def test_keeps_folders_of_the_project(self, names: tuple[str, ...]) -> None:
        assert set(read_project_archive(zip_of(*((name, "") for name in names))).files) == set(names)

    def test_takes_environment_files_out(self) -> None:
        archive = read_project_archive(
            zip_of(
                ("p/.env", "export API_KEY='canary one' # mine\nEMPTY=\nURL=${API_KEY}\n"),
                ("p/backend/.env.local", "API_KEY=other\nPORT=80\n"),
                ("p/prod.env", b"\xff\xfe"),
                ("p/.env.example", "API_KEY=\n"),
                ("p/main.py", "1"),
            )
        )

        assert set(archive.files) == {".env.example", "main.py"}
        assert {name: value.get_secret_value() for name, value in archive.secrets.items()} == {
            "API_KEY": "canary one",
            "URL": "${API_KEY}",
            "PORT": "80",
        }
        assert archive.environment_files == (".env", "prod.env", "backend/.env.local")
        assert b"canary" not in archive.pack()
        assert "canary" not in repr(archive)

    def test_leaves_out_installed_packages_and_links(self) -> None:
        link = stat.S_IFLNK | 0o777
        archive = read_project_archive(
            zip_of(
                ("p/main.py", "1"),
                (entry("p/latest", link), "/etc/passwd"),
                ("p/README.md", "1"),
                ("p/readme.md", "2"),
                ("p/.venv/lib/x.py", ""),
                ("p/environment/pyvenv.cfg", ""),
                ("p/environment/lib/python3.12/x.py", ""),
                ("p/node_modules/x/index.js", ""),
                ("p/.git/config", ""),
            )
        )

        assert set(archive.files) == {"main.py", "README.md", "environment/pyvenv.cfg"}
        assert archive.left_out == ("latest", "readme.md")

    def test_newest_is_the_day_of_the_last_change(self) -> None:
        archive = read_project_archive(zip_of((entry("a", year=2024), ""), (entry("b"), "")))

        assert archive.newest == date(2025, 3, 1)

    def test_packed_archive_is_read_again(self) -> None:
        archive = read_project_archive(zip_of((entry("b/x"), "1"), (entry("a"), "2")))
        again = read_project_archive(archive.pack())

        assert (again.files, again.newest) == (archive.files, archive.newest)
        assert again.pack() == archive.pack()
        assert again.content_hash == archive.content_hash

    @given(st.dictionaries(st.text("ab/", min_size=1, max_size=4), st.binary(max_size=3), max_size=4))
    def test_hash_depends_on_paths_and_contents_only(self, files: dict[str, bytes]) -> None:
        shuffled = dict(reversed(files.items()))
        moved = {f"{path}x": content for path, content in files.items()}

        assert hash_files(files) == hash_files(shuffled)
        assert not files or hash_files(files) != hash_files(moved)

    def test_hash_separates_files(self) -> None:
        assert hash_files({"a": b"bc"}) != hash_files({"ab": b"c"})
        assert hash_files({"a": b"", "b": b""}) != hash_files({"a": b"b"})


def many(count: int) -> Callable[[], bytes]:
    return lambda: zip_of(*((f"data/{number}.txt", "") for number in range(count)))


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "parent folder": (lambda: zip_of(("p/../../x.py", "")), "path"),
    "absolute path": (lambda: zip_of(("/etc/cron.d/x", "")), "path"),
    "drive": (lambda: zip_of(("C:/x.py", "")), "path"),
    "backslash": (lambda: zip_of(("p\\..\\x.py", "")), "path"),
    "long name": (lambda: zip_of(("x" * 300, "")), "long"),
    "device": (lambda: zip_of((entry("p/null", stat.S_IFCHR | 0o600), "")), "device"),
    "pipe": (lambda: zip_of((entry("p/pipe", stat.S_IFIFO | 0o600), "")), "device"),
    "file that is a folder": (lambda: zip_of(("p/a", ""), ("p/a/b", "")), "both"),
    "too many files": (many(project_archive.MAX_FILES + 1), "files"),
    "bomb": (lambda: zip_of(*((f"{n}", b"\0" * 2**25) for n in range(9))), "MiB"),
    "nothing": (lambda: zip_of(("p/", "")), "no files"),
    "not an archive": (lambda: b"#!/bin/sh", "readable"),
    "a million entries": (lambda: b"PK\x01\x02" + b"\0" * 42 + b"PK\x01\x02" * 90_000, "entries"),
}


class TestRefusedArchive:
    @pytest.mark.parametrize("case", REFUSED)
    def test_is_refused(self, case: str) -> None:
        make, reason = REFUSED[case]

        with pytest.raises(ArchiveRefused, match=reason):
            read_project_archive(make())

    def test_second_entry_with_a_path_is_refused(self) -> None:
        with pytest.warns(UserWarning, match="Duplicate"):
            body = zip_of(("a.py", "1"), ("a.py", "2"))

        with pytest.raises(ArchiveRefused, match="two entries"):
            read_project_archive(body)

    def test_encrypted_file_is_refused(self) -> None:
        body = bytearray(zip_of(("p/main.py", "1")))
        body[body.index(b"PK\x01\x02") + 8] |= 1

        with pytest.raises(ArchiveRefused, match="encrypted"):
            read_project_archive(bytes(body))

    def test_too_large_archive_is_refused(self) -> None:
        with pytest.raises(ArchiveRefused, match="larger"):
            read_project_archive(bytes(project_archive.MAX_ARCHIVE_BYTES + 1))


class TestParseEnvironmentFile:
    def test_large_file_is_refused(self) -> None:
        with pytest.raises(ValueError, match="larger"):
            parse_environment_file(b"A=1\n" * 100_000)
