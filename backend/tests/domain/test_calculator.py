"""The arithmetic of the calculator tool."""

import ast
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crewai_runner.domain.calculator import FUNCTIONS, MAX_BITS, CalculationError, calculate
from crewai_runner.domain.tools import TOOLS
from tests.support.machine_speed import cpu_limit


def numbers() -> st.SearchStrategy[str]:
    integers = st.integers(-(10**12), 10**12).map(lambda n: f"({n})")
    fractions = st.floats(-1e9, 1e9, allow_nan=False).map(lambda n: f"({n!r})")
    return integers | fractions


def expressions() -> st.SearchStrategy[str]:
    def combined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        signs = st.sampled_from(["+", "-", "*", "/", "//", "%"])
        return (
            st.tuples(inner, signs, inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})")
            | inner.map(lambda e: f"-{e}")
            | inner.map(lambda e: f"abs({e})")
            | st.tuples(inner, inner).map(lambda t: f"max({t[0]}, {t[1]})")
            | st.tuples(inner, st.integers(-3, 4)).map(lambda t: f"({t[0]} ** {t[1]})")
        )

    return st.recursive(numbers(), combined, max_leaves=6)


def evaluate_with_python(expression: str) -> Any:
    try:
        return eval(expression, {"__builtins__": {"abs": abs, "max": max}})
    except (ZeroDivisionError, OverflowError) as error:
        return error


ATTACKS = [
    "9**9**9",
    "9**9**9**9**9",
    "(9**999)**999",
    "2**100000",
    "(2**4000 * 2**4000) * (2**4000 * 2**4000)",
    "10**400 * 1.0",
    "2.0**100000",
    "1e309",
    "1e308 * 10",
    "round(1, -1000000000)",
    "round(1.5, 1000000000)",
    "round(5, 2.0)",
    "(" * 240 + "1" + ")" * 240,
    "-" * 400 + "1",
    "1" + "+1" * 240,
    "abs(" * 100 + "1" + ")" * 100,
    "1" * 501,
    "1/0",
    "1 % 0",
    "0 ** -1",
    "sqrt(-1)",
    "(-8) ** 0.5",
    "log(0)",
    "floor(1e308 * 10)",
    "exp(100000)",
    "~" * 490 + "1",
    "not " * 120 + "1",
    "a(" * 240 + "1" + ")" * 240,
    "(" * 190 + "1" + ",)" * 190,
]
NOT_ARITHMETIC = [
    "",
    " ",
    "1 +",
    "hello",
    "__import__('os').system('true')",
    "().__class__.__bases__",
    "abs.__self__",
    "[1, 2][0]",
    "(1, 2)",
    "{1: 2}",
    "'a' * 1000000000",
    "b'a'",
    "True + 1",
    "None",
    "1 if 1 else 2",
    "1 < 2",
    "1 and 2",
    "not 1",
    "~1",
    "1 << 100",
    "5 ^ 2",
    "2 @ 3",
    "1j",
    "...",
    "x := 5",
    "(x := 5)",
    "lambda: 1",
    "[x for x in range(10**9)]",
    "f'{1}'",
    "max(*[1, 2])",
    "round(1, ndigits=0)",
    "min()",
    "abs()",
    "abs(1, 2)",
    "open('/etc/passwd')",
    "eval('1')",
    "pow(2, 2)",
    "1; 2",
    "1\n2",
    "\x00",
    "1 + \ud800",
    "nan",
]


def has_infinite_part(expression: str) -> bool:
    """Return whether a part of an expression is infinite in Python: `1 / 1e-320` in `0 / (1 / 1e-320)`."""
    parts = [node for node in ast.walk(ast.parse(expression, mode="eval")) if isinstance(node, ast.expr)]
    values = [evaluate_with_python(ast.unparse(part)) for part in parts]
    return any(isinstance(value, float) and not math.isfinite(value) for value in values)


class TestCalculate:
    @settings(max_examples=500, deadline=None)
    @given(expressions())
    def test_agrees_with_python(self, expression: str) -> None:
        expected = evaluate_with_python(expression)

        if (
            len(expression) > 500
            or isinstance(expected, Exception | complex)
            or has_infinite_part(expression)
        ):
            with pytest.raises(CalculationError):
                calculate(expression)
            return
        answer = calculate(expression)
        assert answer == expected
        assert type(answer) is type(expected)

    @pytest.mark.parametrize(
        ("expression", "answer"),
        [
            ("1 + 1", 2),
            ("2**10", 1024),
            ("-2**2", -4),
            ("7 // 2", 3),
            ("-7 % 3", 2),
            ("1/3", 1 / 3),
            ("round(2.567, 2)", 2.57),
            ("round(2.5)", 2),
            ("round(2.5, 0)", 2.0),
            ("round(1234, -2)", 1200),
            ("min(3, 1, 2)", 1),
            ("sqrt(16) + floor(2.7) + ceil(2.1)", 9.0),
            ("log(e) + log10(100) + exp(0)", 4.0),
            ("sin(0) + cos(0) + tan(0)", 1.0),
            ("pi", math.pi),
            ("  1\n", 1),
            ("1_000 * 2", 2000),
            ("123456789012345678901234567890 * 3", 370370367037037036703703703670),
            ("1 ** (10 ** 100)", 1),
            ("(-1) ** (10 ** 100 + 1)", -1),
            ("0 ** 100000000", 0),
            ("2 ** -1", 0.5),
        ],
    )
    def test_known_results(self, expression: str, answer: float) -> None:
        assert calculate(expression) == answer

    @settings(max_examples=500, deadline=None)
    @given(st.text(alphabet="0123456789.+-*/%() eabsroundmxqtl,", max_size=60))
    def test_any_text_results_in_a_bounded_number_or_an_error(self, text: str) -> None:
        try:
            answer = calculate(text)
        except CalculationError:
            return

        assert type(answer) in {int, float}
        assert not isinstance(answer, int) or answer.bit_length() <= MAX_BITS


class TestRefusedExpressions:
    @pytest.mark.parametrize("expression", ATTACKS)
    def test_out_of_bounds_fails_quickly(self, expression: str) -> None:
        with cpu_limit(160), pytest.raises(CalculationError):
            calculate(expression)

    @pytest.mark.parametrize("expression", NOT_ARITHMETIC)
    def test_not_arithmetic(self, expression: str) -> None:
        with pytest.raises(CalculationError):
            calculate(expression)

    def test_caret_suggests_the_power_operator(self) -> None:
        with pytest.raises(CalculationError, match=r"write \*\*"):
            calculate("2 ^ 3")


class TestDescription:
    @pytest.mark.parametrize("name", sorted(FUNCTIONS))
    def test_names_every_function(self, name: str) -> None:
        assert name in TOOLS["calculator"].description
