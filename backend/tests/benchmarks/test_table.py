"""Goals, verdicts and format of the benchmark table."""

import pytest

from benchmarks.table import SETUPS, Goal, Row, RowType, join_rows, print_table, read_row_types

ROW = RowType("time", "time per call", "ms", "bare", {"in-process": Goal(max_ratio=0.5, max=20)})


class TestGoal:
    @pytest.mark.parametrize(
        ("goal", "met"),
        [
            (Goal(max_ratio=0.5), True),
            (Goal(max_ratio=0.4), False),
            (Goal(min_ratio=0.5), True),
            (Goal(min_ratio=0.6), False),
            (Goal(max=20), True),
            (Goal(max=19), False),
            (Goal(min=20), True),
            (Goal(min=21), False),
            (Goal(max_ratio=0.5, max=19), False),
        ],
    )
    def test_compares_the_ratio_and_the_figure(self, goal: Goal, met: bool) -> None:
        assert goal.is_met(20, 40) is met

    def test_is_unknown_without_a_reference_that_it_needs(self) -> None:
        assert Goal(max_ratio=0.5, max=20).is_met(20, None) is None
        assert Goal(max=20).is_met(20, None) is True
        assert Goal(max=20).is_met(None, 40) is None


class TestRows:
    def test_every_row_has_a_measure_and_goals_of_known_setups(self) -> None:
        for row in read_row_types().values():
            assert row.measure
            assert row.goals.keys() <= SETUPS.keys()

    def test_a_goal_without_a_setup_applies_to_all(self) -> None:
        types = read_row_types()

        assert types["idle-cpu"].goals.keys() == SETUPS.keys()
        assert types["runs-per-second"].goals["two-hosts"] == Goal(min_ratio=1.6)

    def test_joins_the_figures_of_all_setups_in_the_order_of_the_file(self) -> None:
        rows = join_rows(
            {"cpu-per-run": 100.0}, {"in-process": {"idle-cpu": 0.4, "cpu-per-run": 120.0}, "two-hosts": {}}
        )

        assert [(row.type.key, dict(row.product), row.reference) for row in rows] == [
            ("cpu-per-run", {"in-process": 120.0}, 100.0),
            ("idle-cpu", {"in-process": 0.4}, None),
        ]
        assert rows[0].missed() == ["in-process"]
        assert rows[1].missed() == []

    def test_refuses_a_figure_that_is_not_described(self) -> None:
        with pytest.raises(KeyError, match="cpu-of-nothing"):
            join_rows({}, {"in-process": {"cpu-of-nothing": 1.0}})


class TestPrintTable:
    def test_prints_aligned_markdown(self, capsys: pytest.CaptureFixture[str]) -> None:
        lost = RowType("lost", "lost runs", "", "", {})
        print_table([Row(ROW, {"in-process": 20.0}, 1400.0), Row(lost, {"two-hosts": 0})], list(SETUPS)[:2])

        heading, rule, *lines = capsys.readouterr().out.splitlines()
        assert {len(line) for line in (rule, *lines)} == {len(heading)}
        assert [cell.strip() for cell in lines[0].split("|")[1:-1]] == [
            "time per call",
            "1,400 ms",
            "20.0 ms",
            "0.01x",
            "<= 0.5x, <= 20 ms",
            "met",
            "-",
            "",
            "",
            "",
            "bare",
        ]
