"""Run events: unique types, and a lossless JSON round trip in camelCase."""

from datetime import UTC
from types import NoneType
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crewai_runner.domain import run_events
from crewai_runner.domain.base_event import Event
from crewai_runner.domain.budget import Budget
from crewai_runner.domain.run import StopReceipt
from crewai_runner.domain.run_events import FINAL_EVENT_TYPES, RUN_EVENT
from crewai_runner.domain.usage import Cost, Usage

CLASSES: list[type[Event]] = [
    found for found in vars(run_events).values() if isinstance(found, type) and issubclass(found, Event)
]
KINDS = [found for found in CLASSES if found is not Event]


def type_of(kind: type[Event]) -> str:
    return str(kind.model_fields["type"].default)


json_values = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5)
FREE_JSON = ("arguments", "json_output")
moments = st.datetimes(timezones=st.just(UTC))
usages = st.builds(
    Usage,
    total_tokens=st.none() | st.integers(0, 9),
    cost=st.none() | st.builds(Cost, amount=st.decimals(0, 9, places=6), currency=st.just("USD")),
)
receipts = st.builds(StopReceipt, requestedAt=moments, stoppedAt=moments)
budgets = st.builds(Budget, max_cost=st.none() | st.decimals("0.1", 9, places=2), max_tokens=st.just(5))
OF_TYPE: dict[Any, st.SearchStrategy[Any]] = {
    Usage: usages,
    StopReceipt: receipts,
    Budget: budgets,
    float: st.floats(0, 9),
    dict[str, Any] | None: st.none() | st.dictionaries(st.text(max_size=5), json_values, max_size=2),
}


def payloads_of(kind: type[Event]) -> st.SearchStrategy[Any]:
    """A strategy for the `data` of an event class."""
    fields = kind.model_fields["data"].annotation.model_fields  # type: ignore[union-attr]
    chosen = {
        name: OF_TYPE[field.annotation] for name, field in fields.items() if field.annotation in OF_TYPE
    }
    chosen |= {name: json_values for name in FREE_JSON if name in fields and name not in chosen}
    return st.builds(kind.model_fields["data"].annotation, **chosen)  # type: ignore[arg-type]


def _own_keys(event: Event) -> set[str]:
    """Return the field names outside of free-form JSON (`arguments`, `jsonOutput`)."""
    dumped = event.model_dump()["data"]
    return {key for key in dumped if key not in ("arguments", "jsonOutput")}


class TestRunEvent:
    def test_union_contains_every_class(self) -> None:
        union, *_ = get_args(run_events.RunEvent)

        assert set(get_args(union)) == set(KINDS)

    def test_types_are_unique(self) -> None:
        types = [type_of(kind) for kind in KINDS]

        assert len(set(types)) == len(types) == 44
        assert all(kind.model_fields["type"].annotation is not NoneType for kind in KINDS)

    def test_types_are_noun_dot_verb_and_fit_the_column(self) -> None:
        for kind in KINDS:
            noun, _, verb = type_of(kind).partition(".")
            assert noun.isalpha()
            assert verb.isalpha()
            assert len(type_of(kind)) <= 32

    def test_final_event_types_exist(self) -> None:
        assert {type_of(kind) for kind in KINDS} >= FINAL_EVENT_TYPES

    @pytest.mark.parametrize("kind", KINDS, ids=type_of)
    def test_json_round_trip(self, kind: type[Event]) -> None:
        @settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
        @given(event=st.builds(kind, data=payloads_of(kind)))
        def round_trip(event: Event) -> None:
            text = event.model_dump_json()
            assert RUN_EVENT.validate_json(text) == event
            fields = {key for key in event.model_dump() if key != "data"}
            assert fields == {"seq", "runId", "at", "taskKey", "agent", "type"}
            assert not [key for key in _own_keys(event) if "_" in key]

        round_trip()

    def test_unknown_type_is_rejected(self) -> None:
        with pytest.raises(ValueError, match="does not match any of the expected tags"):
            RUN_EVENT.validate_python({"type": "run.imagined", "data": {}})
