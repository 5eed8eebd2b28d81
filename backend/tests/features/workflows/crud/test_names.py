"""Unique names of workflows."""

from crewai_runner.features.workflows.crud.names import suggest_unused_name


class TestUnusedName:
    def test_first_unused_number(self) -> None:
        assert suggest_unused_name("Brief", {"Brief", "Brief 2"}) == "Brief 3"
        assert suggest_unused_name("Brief 2", {"Brief", "Brief 2"}) == "Brief 3"

    def test_long_name_stays_within_the_limit(self) -> None:
        assert len(suggest_unused_name("x" * 100, {"x" * 100})) <= 100
