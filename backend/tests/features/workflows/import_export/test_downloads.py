"""Names of downloaded files."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crewai_runner.features.workflows.import_export.downloads import (
    build_content_disposition,
    build_file_stem,
)


class TestDownloadNames:
    @pytest.mark.parametrize(
        ("name", "stem"),
        [
            ("Daily brief", "daily-brief"),
            ("../../etc/passwd", "etc-passwd"),
            ("日本", "workflow"),
            ("", "workflow"),
        ],
    )
    def test_file_stem_is_safe(self, name: str, stem: str) -> None:
        assert build_file_stem(name) == stem

    @given(st.text(max_size=120))
    def test_header_is_one_line_of_printable_ascii(self, name: str) -> None:
        header = build_content_disposition(name.encode("utf-8", "replace").decode(), ".yaml")

        assert header.isascii()
        assert header.isprintable()
        assert header.count('"') == 2
        assert re.search(r'filename="[a-z0-9-]+\.yaml"', header)
        assert "/" not in header
