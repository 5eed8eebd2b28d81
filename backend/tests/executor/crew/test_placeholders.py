import pytest

from crewai_runner.executor.crew.build.placeholders import fill_placeholders


class TestFillPlaceholders:
    @pytest.mark.parametrize(
        ("text", "filled"),
        [
            ("{a} and {b-2}", "one and 2"),
            ("{c}", "{'x': [1]}"),
            ("{empty}!", "!"),
            ("{flag}", "True"),
            ("{A} {a.b} {a!r} {0} {{a}}", "{A} {a.b} {a!r} {0} {one}"),
        ],
    )
    def test_fills_known_names_only(self, text: str, filled: str) -> None:
        inputs = {"a": "one", "b-2": 2, "c": {"x": [1]}, "empty": None, "flag": True}

        assert fill_placeholders(text, inputs) == filled
