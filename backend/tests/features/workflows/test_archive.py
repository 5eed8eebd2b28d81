"""Uploaded archives: only sound ones are read, and only their texts."""

import io
import stat
import struct
import zipfile
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crewai_runner.features.workflows.archive import MAX_ENTRIES, read_archive, write_archive
from crewai_runner.features.workflows.errors import ArchiveRefused

FOUR_MIB = bytes(range(256)) * 16384


def packed(*entries: tuple[str | zipfile.ZipInfo, str | bytes]) -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry, content in entries:
            archive.writestr(entry, content)
    return body.getvalue()


def entry(name: str, mode: int = stat.S_IFREG | 0o644) -> zipfile.ZipInfo:
    made = zipfile.ZipInfo(name)
    made.external_attr = mode << 16
    return made


def lied_about(size: int) -> bytes:
    """An archive whose directory tells another size than there is."""
    body = bytearray(packed(("crew.yaml", "x" * 100)))
    at = body.rindex(b"PK\x01\x02")
    body[at + 24 : at + 28] = struct.pack("<I", size)
    return bytes(body)


def encrypted() -> bytes:
    body = bytearray(packed(("crew.yaml", "name: x")))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        body[body.index(mark) + offset] |= 1
    return bytes(body)


def packed_with(method: int) -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", method) as archive:
        archive.writestr("crew.yaml", "name: x")
    return body.getvalue()


class TestReading:
    def test_gives_the_texts_and_leaves_the_rest_unread(self) -> None:
        body = packed(
            ("crew/", ""),
            ("crew/config/agents.yaml", "a: 1\r\n"),
            ("crew/README.md", "# Über"),
            ("crew/main.py", "raise SystemExit"),
            ("crew/logo.png", b"\x89PNG\xff"),
            ("__MACOSX/crew/config/._agents.yaml", b"\x00\xff"),
        )

        assert read_archive(body) == {"crew/config/agents.yaml": "a: 1\r\n", "crew/README.md": "# Über"}

    def test_gives_back_what_was_written(self) -> None:
        files = {"crew.jsonc": "{}", "agents/writer.jsonc": '{"role": "Writer"}'}

        assert read_archive(write_archive(files, "daily")) == {
            f"daily/{p}": text for p, text in files.items()
        }

    def test_the_same_files_make_the_same_archive(self) -> None:
        assert write_archive({"a.md": "1", "b.md": "2"}, "x") == write_archive(
            {"b.md": "2", "a.md": "1"}, "x"
        )


MALICIOUS: dict[str, tuple[Callable[[], bytes], str]] = {
    "parent folder": (lambda: packed(("../crew.yaml", "x")), "path"),
    "parent folder inside": (lambda: packed(("a/../../crew.yaml", "x")), "path"),
    "absolute path": (lambda: packed(("/etc/crew.yaml", "x")), "path"),
    "drive": (lambda: packed(("C:/crew.yaml", "x")), "path"),
    "backslash": (lambda: packed(("..\\crew.yaml", "x")), "path"),
    "line break in a name": (lambda: packed(("a\nb.yaml", "x")), "path"),
    "empty folder name": (lambda: packed(("a//b.yaml", "x")), "path"),
    "traversal of an unread file": (lambda: packed(("../../evil.py", "x")), "path"),
    "symlink": (lambda: packed((entry("crew.yaml", stat.S_IFLNK | 0o777), "/etc/passwd")), "link"),
    "device": (lambda: packed((entry("crew.yaml", stat.S_IFCHR | 0o600), "")), "link"),
    "too many": (lambda: packed(*((f"{n}.yaml", "") for n in range(MAX_ENTRIES + 1))), "entries"),
    "too large together": (
        lambda: packed(*((f"{n}.bin", bytes(range(256)) * 16384) for n in range(3))),
        "MiB",
    ),
    "bomb": (lambda: packed(("bomb.yaml", b"\0" * 4_000_000)), "times"),
    "bomb in an unread file": (lambda: packed(("bomb.bin", b"\0" * 4_000_000)), "times"),
    "encrypted": (encrypted, "encrypted"),
    "unusual method": (lambda: packed_with(zipfile.ZIP_LZMA), "method"),
    "two of one name": (lambda: packed((entry("a.yaml"), "1"), (entry("A.yaml"), "2")), "two"),
    "not UTF-8": (lambda: packed(("crew.yaml", b"\xff\xfe")), "UTF-8"),
    "larger than it says": (lambda: lied_about(10), "readable"),
    "smaller than it says": (lambda: lied_about(1000), "large"),
    "no archive": (lambda: b"name: x", "readable"),
    "nothing": (lambda: b"", "readable"),
    "cut off": (lambda: packed(("crew.yaml", "name: x"))[:-30], "readable"),
}


class TestRefusing:
    @pytest.mark.parametrize("case", MALICIOUS)
    def test_whatever_is_not_sound(self, case: str) -> None:
        make, reason = MALICIOUS[case]

        with pytest.raises(ArchiveRefused, match=reason):
            read_archive(make())

    @given(st.binary(max_size=200), st.integers(0, 300), st.integers(0, 7))
    def test_damage_is_refused_or_harmless_but_never_a_defect(self, noise: bytes, at: int, bit: int) -> None:
        body = bytearray(packed(("crew/agents.yaml", "a: 1"), ("crew/tasks.yaml", "b: 2")))
        body[at % len(body)] ^= 1 << bit

        for archive in (bytes(body), bytes(body[: at % len(body)]) + noise):
            try:
                files = read_archive(archive)
            except ArchiveRefused:
                continue
            assert all(".." not in path.split("/") for path in files)
