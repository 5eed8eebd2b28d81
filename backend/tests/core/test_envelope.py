"""Request bodies with and without their wrapping member."""

from typing import Any

import pytest
from pydantic import ValidationError

from crewai_runner.core.api_model import ApiModel
from crewai_runner.core.envelope import Envelope


class Item(ApiModel):
    long_name: str


class ItemEnvelope(Envelope):
    item: Item


class TestEnvelope:
    @pytest.mark.parametrize(
        "body",
        [{"item": {"longName": "x"}}, {"longName": "x"}, {"long_name": "x"}, {"item": {"long_name": "x"}}],
    )
    def test_accepts_wrapped_and_bare_bodies_in_both_cases(self, body: dict[str, Any]) -> None:
        assert ItemEnvelope.model_validate(body).item.long_name == "x"

    @pytest.mark.parametrize(
        ("body", "locations"),
        [
            ({"item": {}}, [("item", "longName")]),
            ({}, [("longName",)]),
            ({"longName": "x", "other": 1}, [("other",)]),
            ({"item": {"longName": "x"}, "other": 1}, [("other",)]),
            ({"item": None}, [("item",)]),
            ([], [()]),
        ],
    )
    def test_error_locations_match_the_form_sent(self, body: Any, locations: list[tuple[str, ...]]) -> None:
        with pytest.raises(ValidationError) as raised:
            ItemEnvelope.model_validate(body)

        assert [error["loc"] for error in raised.value.errors()] == locations
