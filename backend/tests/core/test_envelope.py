"""Bodies with or without their name around them."""

from typing import Any

import pytest
from pydantic import ValidationError

from crewai_runner.core.api_model import ApiModel
from crewai_runner.core.envelope import Envelope


class Thing(ApiModel):
    long_name: str


class ThingEnvelope(Envelope):
    thing: Thing


@pytest.mark.parametrize(
    "body",
    [{"thing": {"longName": "x"}}, {"longName": "x"}, {"long_name": "x"}, {"thing": {"long_name": "x"}}],
)
def test_reads_both_forms_in_both_spellings(body: dict[str, Any]) -> None:
    assert ThingEnvelope.model_validate(body).thing.long_name == "x"


@pytest.mark.parametrize(
    ("body", "places"),
    [
        ({"thing": {}}, [("thing", "longName")]),
        ({}, [("longName",)]),
        ({"longName": "x", "other": 1}, [("other",)]),
        ({"thing": {"longName": "x"}, "other": 1}, [("other",)]),
        ({"thing": None}, [("thing",)]),
        ([], [()]),
    ],
)
def test_errors_point_into_the_form_that_was_sent(body: Any, places: list[tuple[str, ...]]) -> None:
    with pytest.raises(ValidationError) as raised:
        ThingEnvelope.model_validate(body)

    assert [error["loc"] for error in raised.value.errors()] == places
