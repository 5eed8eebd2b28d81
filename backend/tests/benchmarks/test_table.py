"""Verdicts and format of the benchmark table."""

import pytest

from benchmarks.table import Goal, Row, print_table


class TestVerdict:
    @pytest.mark.parametrize(
        ("goal", "verdict"),
        [
            (Goal(0.5), "yes"),
            (Goal(0.4), "NO"),
            (Goal(0.5, at_least=True), "yes"),
            (Goal(0.6, at_least=True), "NO"),
            (Goal(20, of="figure"), "yes"),
            (Goal(19, of="figure"), "NO"),
        ],
    )
    def test_goal_compares_the_ratio_or_the_figure(self, goal: Goal, verdict: str) -> None:
        assert Row("time", "ms", product=20, reference=40, goals=(goal,)).verdict() == verdict

    def test_requires_every_goal(self) -> None:
        row = Row("time", "ms", product=20, reference=40, goals=(Goal(0.5), Goal(10, of="figure")))

        assert row.verdict() == "NO"

    def test_missing_reference_has_no_ratio_and_no_verdict(self) -> None:
        row = Row("time", "ms", product=20, goals=(Goal(0.5),))

        assert (row.ratio, row.verdict()) == (None, "")


class TestPrintTable:
    def test_prints_aligned_markdown(self, capsys: pytest.CaptureFixture[str]) -> None:
        print_table([Row("CPU per run", "ms", 20.0, 1400.0, "bare", (Goal(1.0),)), Row("lost", "", 0)])

        heading, rule, *lines = capsys.readouterr().out.splitlines()
        assert {len(line) for line in (rule, *lines)} == {len(heading)}
        assert [cell.strip() for cell in lines[0].split("|")[1:-1]] == [
            "CPU per run",
            "20.0 ms",
            "1,400 ms",
            "0.01x",
            "<= 1x",
            "yes",
            "bare",
        ]
