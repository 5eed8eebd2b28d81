import pytest

from crewai_runner.domain.structured_output import StructureMismatch, parse_structured

SCHEMA = {
    "type": "object",
    "properties": {"title": {"type": "string", "pattern": "^(a+)+$"}, "score": {"type": "integer"}},
    "required": ["title", "score"],
}


class TestParseStructured:
    def test_returns_the_value(self) -> None:
        assert parse_structured(' {"title": "aa", "score": 9}', SCHEMA) == {"title": "aa", "score": 9}

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("not json", "not valid JSON"),
            ('{"title": "a"}', "score"),
            ('{"title": "a", "score": "9"}', r"\$\.score"),
            ('{"title": "a", "score": NaN}', "NaN"),
            ("[" * 100_000, "not valid JSON"),
            ('{"title": "' + "a" * 40 + '!", "score": 1}', r"\$\.title"),
        ],
    )
    def test_says_what_differs(self, text: str, message: str) -> None:
        with pytest.raises(StructureMismatch, match=message):
            parse_structured(text, SCHEMA)
