import pytest

from crewai_runner.features.knowledge.rules import CHUNK_CHARACTERS, split_text


class TestSplitText:
    @pytest.mark.parametrize("unit", ["word ", "x", "A sentence of words. ", "line\n", "paragraph\n\n"])
    def test_pieces_cover_the_text_and_are_short(self, unit: str) -> None:
        text = unit * (5_000 // len(unit))

        pieces = list(split_text(text))

        assert all(0 < len(piece) <= CHUNK_CHARACTERS for piece in pieces)
        assert sum(map(len, pieces)) >= len(text.strip()) * 0.9

    def test_ends_between_paragraphs(self) -> None:
        text = ("a" * 400 + "\n\n") * 4

        assert next(split_text(text)) == "a" * 400 + "\n\n" + "a" * 400

    @pytest.mark.parametrize("text", ["", "  \n\n "])
    def test_nothing_of_nothing(self, text: str) -> None:
        assert list(split_text(text)) == []
