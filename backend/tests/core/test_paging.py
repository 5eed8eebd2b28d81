"""Opaque paging cursors."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crewai_runner.core.errors import BadRequest
from crewai_runner.core.ids import Prefix, new_id
from crewai_runner.core.paging import decode_cursor, decode_id_cursor, encode_cursor

keys = st.lists(st.text(max_size=20) | st.integers(), min_size=1, max_size=4)


class TestCursor:
    @given(keys)
    def test_round_trip(self, keys: list[str | int]) -> None:
        assert decode_cursor(encode_cursor(*keys), len(keys)) == keys

    @given(keys)
    def test_is_url_safe(self, keys: list[str | int]) -> None:
        assert encode_cursor(*keys).replace("-", "").replace("_", "").isalnum()

    @given(st.text(max_size=60))
    def test_any_text_is_decoded_or_a_bad_request(self, text: str) -> None:
        try:
            decoded = decode_cursor(text, 1)
        except BadRequest:
            return
        assert len(decoded) == 1

    @pytest.mark.parametrize(
        "inner", [b"[]", b"[1,2]", b'{"a":1}', b"[null]", b"[true]", b"[[1]]", b"[1.5]", b"[" * 9000]
    )
    def test_rejects_other_shapes(self, inner: bytes) -> None:
        with pytest.raises(BadRequest):
            decode_cursor(base64.urlsafe_b64encode(inner).decode(), 1)


class TestIdCursor:
    def test_accepts_only_ids_with_the_prefix(self) -> None:
        identifier = new_id(Prefix.RUN)

        assert decode_id_cursor(encode_cursor(identifier), Prefix.RUN) == identifier
        assert decode_id_cursor(None, Prefix.RUN) is None
        for foreign in (new_id(Prefix.MODEL), "run_\x00", 3):
            with pytest.raises(BadRequest):
                decode_id_cursor(encode_cursor(foreign), Prefix.RUN)
