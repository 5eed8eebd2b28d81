"""Reading of uploaded archives, and writing of archives."""

import io
import stat
import struct
import zipfile
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crewai_runner.core.zip_archive import ArchiveRefused
from crewai_runner.features.workflows.import_export.archive import MAX_ENTRIES, read_archive, write_archive

FOUR_MIB = bytes(range(256)) * 16384


def zip_of(*entries: tuple[str | zipfile.ZipInfo, str | bytes]) -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry, content in entries:
            archive.writestr(entry, content)
    return body.getvalue()


def entry(name: str, mode: int = stat.S_IFREG | 0o644) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    return info


def with_wrong_size(size: int) -> bytes:
    """An archive whose directory has a wrong size."""
    body = bytearray(zip_of(("crew.yaml", "x" * 100)))
    at = body.rindex(b"PK\x01\x02")
    body[at + 24 : at + 28] = struct.pack("<I", size)
    return bytes(body)


def encrypted() -> bytes:
    body = bytearray(zip_of(("crew.yaml", "name: x")))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        body[body.index(mark) + offset] |= 1
    return bytes(body)


def zip_with_method(method: int) -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", method) as archive:
        archive.writestr("crew.yaml", "name: x")
    return body.getvalue()


class TestReadArchive:
    def test_reads_only_the_files_of_crews(self) -> None:
        link = stat.S_IFLNK | 0o777
        body = zip_of(
            ("crew/", ""),
            ("crew/config/agents.yaml", "a: 1\r\n"),
            ("crew/crew.py", "raise SystemExit"),
            ("crew/pyproject.toml", "[project]"),
            ("crew/README.md", "# Über".encode("latin-1")),
            ("crew/readme.md", b"\xff"),
            ("crew/legacy.py", b"# \xe9"),
            ("crew/package-lock.json", b"\0" * 9_000_000),
            (entry("crew/CLAUDE.md", link), "README.md"),
            ("crew/logo.png", b"\x89PNG\xff"),
            ("crew/.venv/lib/crew.jsonc", b"\xff"),
            ("__MACOSX/crew/config/._agents.yaml", b"\x00\xff"),
            *((f"crew/data/{number}.csv", "") for number in range(300)),
        )

        assert read_archive(body) == {
            "crew/config/agents.yaml": "a: 1\r\n",
            "crew/crew.py": "raise SystemExit",
            "crew/pyproject.toml": "[project]",
        }

    def test_reads_what_write_archive_wrote(self) -> None:
        files = {"crew.jsonc": "{}", "agents/writer.jsonc": '{"role": "Writer"}'}

        assert read_archive(write_archive(files, "daily")) == {
            f"daily/{p}": text for p, text in files.items()
        }

    def test_equal_files_give_equal_archives(self) -> None:
        assert write_archive({"a.md": "1", "b.md": "2"}, "x") == write_archive(
            {"b.md": "2", "a.md": "1"}, "x"
        )


MALICIOUS: dict[str, tuple[Callable[[], bytes], str]] = {
    "parent folder": (lambda: zip_of(("../crew.yaml", "x")), "path"),
    "parent folder inside": (lambda: zip_of(("a/../../crew.yaml", "x")), "path"),
    "absolute path": (lambda: zip_of(("/etc/crew.yaml", "x")), "path"),
    "drive": (lambda: zip_of(("C:/crew.yaml", "x")), "path"),
    "backslash": (lambda: zip_of(("..\\crew.yaml", "x")), "path"),
    "line break in a name": (lambda: zip_of(("a\nb.yaml", "x")), "path"),
    "empty folder name": (lambda: zip_of(("a//b.yaml", "x")), "path"),
    "traversal of an unread file": (lambda: zip_of(("../../evil.py", "x")), "path"),
    "symlink": (lambda: zip_of((entry("crew.yaml", stat.S_IFLNK | 0o777), "/etc/passwd")), "link"),
    "device": (lambda: zip_of((entry("crew.yaml", stat.S_IFCHR | 0o600), "")), "link"),
    "too many": (lambda: zip_of(*((f"{n}.yaml", "") for n in range(MAX_ENTRIES + 1))), "entries"),
    "too large together": (lambda: zip_of(*((f"{n}.yaml", FOUR_MIB) for n in range(3))), "MiB"),
    "bomb": (lambda: zip_of(("bomb.yaml", b"\0" * 4_000_000)), "times"),
    "encrypted": (encrypted, "encrypted"),
    "unsupported method": (lambda: zip_with_method(zipfile.ZIP_LZMA), "method"),
    "duplicate name": (lambda: zip_of((entry("a.yaml"), "1"), (entry("A.yaml"), "2")), "two"),
    "not UTF-8": (lambda: zip_of(("crew.yaml", b"\xff")), "UTF-8"),
    "larger than declared": (lambda: with_wrong_size(10), "readable"),
    "smaller than declared": (lambda: with_wrong_size(1000), "size"),
    "not an archive": (lambda: b"name: x", "readable"),
    "empty": (lambda: b"", "readable"),
    "truncated": (lambda: zip_of(("crew.yaml", "name: x"))[:-30], "readable"),
}


class TestInvalidArchive:
    @pytest.mark.parametrize("case", MALICIOUS)
    def test_is_rejected(self, case: str) -> None:
        make, reason = MALICIOUS[case]

        with pytest.raises(ArchiveRefused, match=reason):
            read_archive(make())

    @given(st.binary(max_size=200), st.integers(0, 300), st.integers(0, 7))
    def test_damaged_archive_is_rejected_or_harmless(self, noise: bytes, at: int, bit: int) -> None:
        body = bytearray(zip_of(("crew/agents.yaml", "a: 1"), ("crew/tasks.yaml", "b: 2")))
        body[at % len(body)] ^= 1 << bit

        for archive in (bytes(body), bytes(body[: at % len(body)]) + noise):
            try:
                files = read_archive(archive)
            except ArchiveRefused:
                continue
            assert all(".." not in path.split("/") for path in files)
