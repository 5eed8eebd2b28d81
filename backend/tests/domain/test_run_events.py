"""Every event: a type of its own, whole after a journey through JSON, camelCase on the way."""

from types import NoneType
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crewai_runner.domain import run_events
from crewai_runner.domain.run_events import ENDINGS, RUN_EVENT, Event

CLASSES: list[type[Event]] = [
    found for found in vars(run_events).values() if isinstance(found, type) and issubclass(found, Event)
]
KINDS = [found for found in CLASSES if found is not Event]


def type_of(kind: type[Event]) -> str:
    return str(kind.model_fields["type"].default)


def test_the_union_holds_every_class() -> None:
    union, *_ = get_args(run_events.RunEvent)

    assert set(get_args(union)) == set(KINDS)


def test_each_class_has_a_type_of_its_own() -> None:
    types = [type_of(kind) for kind in KINDS]

    assert len(set(types)) == len(types) == 38
    assert all(kind.model_fields["type"].annotation is not NoneType for kind in KINDS)


def test_types_are_noun_past_verb_and_fit_the_column() -> None:
    for kind in KINDS:
        noun, _, verb = type_of(kind).partition(".")
        assert noun.isalpha()
        assert verb.isalpha()
        assert len(type_of(kind)) <= 32


def test_endings_are_events() -> None:
    assert {type_of(kind) for kind in KINDS} >= ENDINGS


def _keys(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value) | {key for inner in value.values() for key in _keys(inner)}
    return {key for inner in value for key in _keys(inner)} if isinstance(value, list) else set()


json_values = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5)
st.register_type_strategy(object, json_values)


@pytest.mark.parametrize("kind", KINDS, ids=type_of)
def test_an_event_survives_its_journey_through_json(kind: type[Event]) -> None:
    @settings(max_examples=5, deadline=None)
    @given(event=st.builds(kind, data=st.builds(kind.model_fields["data"].annotation)))  # type: ignore[arg-type]
    def journey(event: Event) -> None:
        text = event.model_dump_json()
        assert RUN_EVENT.validate_json(text) == event
        fields = {key for key in event.model_dump() if key != "data"}
        assert fields == {"seq", "runId", "at", "taskKey", "agent", "type"}
        assert not [key for key in _own_keys(event) if "_" in key]

    journey()


def _own_keys(event: Event) -> set[str]:
    """Names of our own fields; what stands in free JSON (`arguments`, `jsonOutput`) is the crew's."""
    dumped = event.model_dump()["data"]
    return {key for key in dumped if key not in ("arguments", "jsonOutput")}


def test_an_unknown_type_is_refused() -> None:
    with pytest.raises(ValueError, match="union_tag_invalid|does not match"):
        RUN_EVENT.validate_python({"type": "run.imagined", "data": {}})
