"""Arithmetic on text, for models that cannot count. Not Python: a closed list of signs and functions."""

import ast
import math
import operator
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

Number = int | float

LONGEST_EXPRESSION = 500
DEEPEST_NESTING = 50
MOST_BITS = 8_192
_MOST_DIGITS_TO_ROUND = 100
_SIGNS_IN_USE = re.compile(r"[\w\s+\-*/%().,^]*", re.ASCII)


class CannotCalculate(Exception):
    """The expression is not arithmetic, or its result is out of bounds; says why in words for a model."""


def calculate(expression: str) -> Number:
    """The value of an expression such as `(2 + 3) * sqrt(16) / 7`.

    Knows + - * / // % **, brackets, pi, e and the functions of FUNCTIONS. Whole numbers are exact up
    to 8,192 bits; trigonometry is in radians. Raises CannotCalculate.
    """
    try:
        return _checked(_value(_parsed(expression), 0))
    except ZeroDivisionError:
        raise CannotCalculate("Division by zero.") from None
    except OverflowError:
        raise CannotCalculate("The result is too large.") from None
    except (ValueError, TypeError) as error:
        raise CannotCalculate(f"This has no result: {error}.") from None
    except RecursionError:
        raise CannotCalculate("The expression is nested too deep.") from None


def _parsed(expression: str) -> ast.expr:
    if len(expression) > LONGEST_EXPRESSION:
        raise CannotCalculate(f"The expression is longer than {LONGEST_EXPRESSION} characters.")
    if not _SIGNS_IN_USE.fullmatch(expression):
        raise CannotCalculate("This is not an arithmetic expression.")
    try:
        return ast.parse(expression.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise CannotCalculate("This is not an arithmetic expression.") from None


def _value(node: ast.expr, depth: int) -> Number:
    if depth > DEEPEST_NESTING:
        raise CannotCalculate(f"The expression is nested more than {DEEPEST_NESTING} deep.")
    match node:
        case ast.Constant(value=value) if type(value) in {int, float}:
            return _checked(value)
        case ast.Name(id=name) if name in CONSTANTS:
            return CONSTANTS[name]
        case ast.UnaryOp(op=op, operand=operand) if type(op) in _SIGNS:
            return _SIGNS[type(op)](_value(operand, depth + 1))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATIONS:
            return _checked(_OPERATIONS[type(op)](_value(left, depth + 1), _value(right, depth + 1)))
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in FUNCTIONS:
            return _checked(FUNCTIONS[name](*(_value(argument, depth + 1) for argument in arguments)))
    raise CannotCalculate(f"`{_excerpt(node)}` is not arithmetic that this calculator knows.")


def _excerpt(node: ast.expr) -> str:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitXor):
        return "^ (write ** for powers)"
    return ast.unparse(node)[:60]


def _checked(value: object) -> Number:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise CannotCalculate("The result is not a real number.")
    if isinstance(value, int):
        if value.bit_length() > MOST_BITS:
            raise OverflowError
    elif not math.isfinite(value):
        raise OverflowError
    return value


def _power(base: Number, exponent: Number) -> Number:
    whole = isinstance(base, int) and isinstance(exponent, int)
    if whole and abs(base) > 1 and int(base).bit_length() * exponent > 2 * MOST_BITS:
        raise OverflowError
    return _checked(operator.pow(base, exponent))


def _round(value: Number, digits: Number | None = None) -> Number:
    if digits is None:
        return round(value)
    if not isinstance(digits, int) or abs(digits) > _MOST_DIGITS_TO_ROUND:
        raise CannotCalculate(f"Round to at most {_MOST_DIGITS_TO_ROUND} digits.")
    return round(value, digits)


_SIGNS: Mapping[type, Callable[[Number], Number]] = {ast.UAdd: operator.pos, ast.USub: operator.neg}
_OPERATIONS: Mapping[type, Callable[[Number, Number], Number]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: _power,
}
CONSTANTS: Mapping[str, float] = MappingProxyType({"pi": math.pi, "e": math.e})
FUNCTIONS: Mapping[str, Callable[..., Number]] = MappingProxyType(
    {
        "abs": abs,
        "round": _round,
        "min": min,
        "max": max,
        "sqrt": math.sqrt,
        "floor": math.floor,
        "ceil": math.ceil,
        "exp": math.exp,
        "log": math.log,
        "log10": math.log10,
        "sin": math.sin,
        "cos": math.cos,
        "tan": math.tan,
    }
)
