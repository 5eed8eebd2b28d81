"""Values of unquoted scalars."""

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from crewai_runner.domain.workflow_yaml.scalars import InvalidScalar, resolve

SCALARS = {
    "a": "a", "yes": True, "No": False, "ON": True, "off": False, "true": True, "FALSE": False,
    "y": "y", "tRUE": "tRUE",
    "": None, "~": None, "null": None, "NULL": None, "nil": "nil",
    "0": 0, "-1": -1, "+12": 12, "1_000": 1000, "0x1F": 31, "-0xff": -255,
    "010": "010", "089": "089", "0_1": "0_1", "1:30": "1:30", "0o17": "0o17", "0b1": "0b1",
    "_1": "_1", "1e3": "1e3",
    "1.5": 1.5, "-2.": -2.0, ".5": 0.5, "-.5": "-.5", "1.5e+3": 1500.0, "1.5e3": "1.5e3",
    "1.2.3": "1.2.3", ".": ".",
    "2024-01-01": "2024-01-01", "=": "=", "<<": "<<", "-": "-", "0x": "0x", "+": "+",
}  # fmt: skip


class TestResolve:
    @pytest.mark.parametrize(("scalar", "value"), SCALARS.items(), ids=list(SCALARS))
    def test_value(self, scalar: str, value: object) -> None:
        assert resolve(scalar) == value
        assert type(resolve(scalar)) is type(value)

    @pytest.mark.parametrize(
        "scalar", [".inf", "-.INF", ".nan", "9" * 30, "-" + "9" * 5000, "0x" + "f" * 17, "9" * 400 + ".0"]
    )
    def test_rejects_unsupported_numbers(self, scalar: str) -> None:
        with pytest.raises(InvalidScalar):
            resolve(scalar)

    @given(st.text("+-._0123456789abefnotruyxENYO:=~<", min_size=1, max_size=8))
    @settings(max_examples=500, deadline=None)
    def test_unquoted_text_stays_text(self, text: str) -> None:
        written = yaml.safe_dump(text, allow_unicode=True).splitlines()[0]

        if written == text:  # no quotes
            assert resolve(text) == text
