"""Evaluates arithmetic expressions with a fixed set of operators and functions; no Python is executed."""

import ast
import math
import operator
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

Number = int | float

MAX_EXPRESSION_LENGTH = 500
MAX_NESTING = 50
MAX_BITS = 8_192
_MAX_ROUND_DIGITS = 100
_ALLOWED_CHARACTERS = re.compile(r"[\w\s+\-*/%().,^]*", re.ASCII)


class CalculationError(Exception):
    """The expression is not arithmetic, or its result is out of range; the message is for a model."""


def calculate(expression: str) -> Number:
    """Return the value of an expression such as `(2 + 3) * sqrt(16) / 7`.

    Supports + - * / // % **, brackets, pi, e and the functions of FUNCTIONS. Whole numbers are exact up
    to 8,192 bits; trigonometry is in radians. Raises CalculationError.
    """
    try:
        return _check_range(_evaluate(_parse(expression), 0))
    except ZeroDivisionError:
        raise CalculationError("Division by zero.") from None
    except OverflowError:
        raise CalculationError("The result is too large.") from None
    except (ValueError, TypeError) as error:
        raise CalculationError(f"The expression has no result: {error}.") from None
    except RecursionError:
        raise CalculationError("The expression is nested too deeply.") from None


def _parse(expression: str) -> ast.expr:
    if len(expression) > MAX_EXPRESSION_LENGTH:
        raise CalculationError(f"The expression is longer than {MAX_EXPRESSION_LENGTH} characters.")
    if not _ALLOWED_CHARACTERS.fullmatch(expression):
        raise CalculationError("This is not an arithmetic expression.")
    try:
        return ast.parse(expression.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise CalculationError("This is not an arithmetic expression.") from None


def _evaluate(node: ast.expr, depth: int) -> Number:
    if depth > MAX_NESTING:
        raise CalculationError(f"The expression is nested more than {MAX_NESTING} levels deep.")
    match node:
        case ast.Constant(value=value) if type(value) in {int, float}:
            return _check_range(value)
        case ast.Name(id=name) if name in CONSTANTS:
            return CONSTANTS[name]
        case ast.UnaryOp(op=op, operand=operand) if type(op) in _UNARY_OPERATORS:
            return _UNARY_OPERATORS[type(op)](_evaluate(operand, depth + 1))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return _check_range(_OPERATORS[type(op)](_evaluate(left, depth + 1), _evaluate(right, depth + 1)))
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in FUNCTIONS:
            return _check_range(FUNCTIONS[name](*(_evaluate(argument, depth + 1) for argument in arguments)))
    raise CalculationError(f"`{_excerpt(node)}` is not supported by this calculator.")


def _excerpt(node: ast.expr) -> str:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitXor):
        return "^ (write ** for powers)"
    return ast.unparse(node)[:60]


def _check_range(value: object) -> Number:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise CalculationError("The result is not a real number.")
    if isinstance(value, int):
        if value.bit_length() > MAX_BITS:
            raise OverflowError
    elif not math.isfinite(value):
        raise OverflowError
    return value


def _power(base: Number, exponent: Number) -> Number:
    integers = isinstance(base, int) and isinstance(exponent, int)
    if integers and abs(base) > 1 and int(base).bit_length() * exponent > 2 * MAX_BITS:
        raise OverflowError
    return _check_range(operator.pow(base, exponent))


def _round(value: Number, digits: Number | None = None) -> Number:
    if digits is None:
        return round(value)
    if not isinstance(digits, int) or abs(digits) > _MAX_ROUND_DIGITS:
        raise CalculationError(f"Round to at most {_MAX_ROUND_DIGITS} digits.")
    return round(value, digits)


_UNARY_OPERATORS: Mapping[type, Callable[[Number], Number]] = {ast.UAdd: operator.pos, ast.USub: operator.neg}
_OPERATORS: Mapping[type, Callable[[Number, Number], Number]] = {
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
