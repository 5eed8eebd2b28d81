import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crewai_runner.core.errors import BadRequest
from crewai_runner.core.ids import Prefix, new_id
from crewai_runner.core.paging import decode_cursor, decode_id_cursor, encode_cursor

keys = st.lists(st.text(max_size=20) | st.integers(), min_size=1, max_size=4)


@given(keys)
def test_a_cursor_comes_back_as_it_was(keys: list[str | int]) -> None:
    assert decode_cursor(encode_cursor(*keys), len(keys)) == keys


@given(keys)
def test_a_cursor_needs_no_escaping_in_a_url(keys: list[str | int]) -> None:
    assert encode_cursor(*keys).replace("-", "").replace("_", "").isalnum()


@given(st.text(max_size=60))
def test_any_text_is_a_cursor_or_a_bad_request(text: str) -> None:
    try:
        decoded = decode_cursor(text, 1)
    except BadRequest:
        return
    assert len(decoded) == 1


@pytest.mark.parametrize(
    "inner", [b"[]", b"[1,2]", b'{"a":1}', b"[null]", b"[true]", b"[[1]]", b"[1.5]", b"[" * 9000]
)
def test_a_cursor_of_another_shape_is_refused(inner: bytes) -> None:
    with pytest.raises(BadRequest):
        decode_cursor(base64.urlsafe_b64encode(inner).decode(), 1)


def test_an_ids_cursor_is_of_its_kind_only() -> None:
    identifier = new_id(Prefix.RUN)

    assert decode_id_cursor(encode_cursor(identifier), Prefix.RUN) == identifier
    assert decode_id_cursor(None, Prefix.RUN) is None
    for foreign in (new_id(Prefix.MODEL), "run_\x00", 3):
        with pytest.raises(BadRequest):
            decode_id_cursor(encode_cursor(foreign), Prefix.RUN)
