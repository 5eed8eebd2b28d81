"""The JSON of timestamps in lists equals that of the response models."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import to_json
from sqlalchemy import create_engine
from sqlalchemy.dialects import postgresql

from crewai_runner.db.base import JsonTimestamp, Timestamp

SQLITE = create_engine("sqlite://").dialect
POSTGRESQL: Any = postgresql.dialect


class TestJsonTimestamp:
    @given(st.datetimes(timezones=st.just(UTC)))
    def test_equals_the_json_of_the_moment(self, moment: datetime) -> None:
        store: Any = Timestamp().dialect_impl(SQLITE).bind_processor(SQLITE)

        assert to_json(JsonTimestamp().result_processor(SQLITE, None)(store(moment))) == to_json(moment)

    def test_null(self) -> None:
        assert JsonTimestamp().result_processor(SQLITE, None)(None) is None
        assert JsonTimestamp().result_processor(POSTGRESQL(), None)(None) is None

    def test_is_utc_in_any_time_zone_of_the_server(self) -> None:
        moment = datetime(2026, 1, 31, 13, tzinfo=timezone(timedelta(hours=1)))

        value = JsonTimestamp().result_processor(POSTGRESQL(), None)(moment)
        assert to_json(value) == b'"2026-01-31T12:00:00Z"'
