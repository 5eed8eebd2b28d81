"""The tools that agents may use: right answers, firm bounds, no way round the guard."""

import asyncio
import contextlib
import json
import math
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crewai_runner.core.egress import EgressPolicy, UrlRefused
from crewai_runner.domain.calculator import FUNCTIONS, MAX_BITS, CalculationError, calculate
from crewai_runner.domain.tools import TOOLS
from tests.executor.loading import engine_module
from tests.support.servers import server

tools = engine_module("tools.factory")
web = engine_module("tools.http_fetch")
page_text = engine_module("tools.html_text").html_to_text
pytestmark = pytest.mark.crew

HERE = EgressPolicy(allow_private=True)
PUBLIC_ONLY = EgressPolicy(allow_private=False)


# --- the calculator


def numbers() -> st.SearchStrategy[str]:
    whole = st.integers(-(10**12), 10**12).map(lambda n: f"({n})")
    broken = st.floats(-1e9, 1e9, allow_nan=False).map(lambda n: f"({n!r})")
    return whole | broken


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


def pythons_answer(expression: str) -> Any:
    try:
        return eval(expression, {"__builtins__": {"abs": abs, "max": max}})
    except (ZeroDivisionError, OverflowError) as error:
        return error


@settings(max_examples=500, deadline=None)
@given(expressions())
def test_the_calculator_agrees_with_python(expression: str) -> None:
    expected = pythons_answer(expression)

    if len(expression) > 500 or isinstance(expected, Exception | complex) or not math.isfinite(expected):
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
def test_known_results(expression: str, answer: float) -> None:
    assert calculate(expression) == answer


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


@pytest.mark.parametrize("expression", ATTACKS)
def test_an_expression_out_of_bounds_is_refused_at_once(expression: str) -> None:
    began = time.process_time()

    with pytest.raises(CalculationError):
        calculate(expression)

    assert time.process_time() - began < 1


@pytest.mark.parametrize("expression", NOT_ARITHMETIC)
def test_what_is_not_arithmetic_is_refused(expression: str) -> None:
    with pytest.raises(CalculationError):
        calculate(expression)


@settings(max_examples=500, deadline=None)
@given(st.text(alphabet="0123456789.+-*/%() eabsroundmxqtl,", max_size=60))
def test_any_text_gives_a_bounded_number_or_a_refusal(text: str) -> None:
    try:
        answer = calculate(text)
    except CalculationError:
        return

    assert type(answer) in {int, float}
    assert not isinstance(answer, int) or answer.bit_length() <= MAX_BITS


def test_the_sign_for_powers_is_explained() -> None:
    with pytest.raises(CalculationError, match=r"write \*\*"):
        calculate("2 ^ 3")


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_every_function_is_in_the_description_that_the_model_reads(name: str) -> None:
    assert name in TOOLS["calculator"].description


# --- the catalogue


def made(*names: str, egress: EgressPolicy | None = HERE) -> Any:
    made_tools = tools.make_tools(names, egress=egress)
    return made_tools[0] if len(names) == 1 else made_tools


def test_every_tool_of_the_catalogue_can_be_made() -> None:
    for name, tool in TOOLS.items():
        one = made(name)
        assert one.name == name
        assert tool.description in one.description
        assert set(tool.parameters["properties"]) == set(one.args_schema.model_json_schema()["properties"])


def test_the_catalogue_is_plain_json() -> None:
    listed = json.loads(json.dumps([tool.model_dump(mode="json") for tool in TOOLS.values()]))

    assert {tool["name"] for tool in listed if tool["network"]} == {"http_get"}
    assert all(tool["parameters"]["type"] == "object" and tool["title"] for tool in listed)


@pytest.mark.parametrize("name", ["os:system", "custom:x", "SerperDevTool", "", "calculator "])
def test_an_unknown_tool_is_refused_with_the_ones_there_are(name: str) -> None:
    with pytest.raises(tools.UnknownTool, match="calculator, current_time"):
        tools.make_tools(["wait", name])


def test_each_agent_has_tools_of_its_own() -> None:
    one, other = made("calculator"), made("calculator")

    one.run(expression="1 + 1")

    assert one is not other
    assert (one.current_usage_count, other.current_usage_count) == (1, 0)
    assert len(tools.make_tools(["wait", "wait"])) == 1


def test_only_what_stays_true_may_be_cached() -> None:
    cached = {name for name in TOOLS if made(name).cache_function({}, "x")}

    assert cached == {"calculator"}


def test_a_tool_works_from_a_thread() -> None:
    assert made("calculator").run(expression="6 * 7") == "42"


async def test_a_tool_works_from_a_coroutine() -> None:
    assert await made("calculator").arun(expression="6 * 7") == "42"


async def test_a_tool_works_from_a_thread_beside_a_running_loop() -> None:
    assert await asyncio.to_thread(made("wait").run, seconds=0) == "Waited 0 seconds."


def test_arguments_are_checked() -> None:
    for arguments in ({}, {"seconds": "soon"}, {"seconds": -1}, {"seconds": 61}):
        with pytest.raises(ValueError, match="arguments validation failed"):
            made("wait").run(**arguments)


def test_a_stop_cuts_a_tool_short() -> None:
    cut = threading.Event()

    class StoppedAttempt:
        def run_blocking(self, work: Any, loop: asyncio.AbstractEventLoop) -> Any:
            waiting = asyncio.run_coroutine_threadsafe(work, loop)
            waiting.cancel()
            cut.set()
            raise InterruptedError

    scene = engine_module("context.run_context")
    token = scene.current_run.set(StoppedAttempt())
    try:
        with pytest.raises(InterruptedError):
            made("wait").run(seconds=60)
    finally:
        scene.current_run.reset(token)

    assert cut.is_set()


@pytest.mark.parametrize(
    ("zone", "offset"),
    [(None, "+00:00 (UTC)"), ("UTC", "+00:00 (UTC)"), ("Asia/Tokyo", "+09:00 (Asia/Tokyo)")],
)
def test_the_time_is_told_in_its_zone(zone: str | None, offset: str) -> None:
    said = made("current_time").run(zone=zone)

    assert said.endswith(offset)
    assert said.partition(",")[0].endswith("day")


@pytest.mark.parametrize(
    "zone", ["Mars/Base", "../../etc/passwd", "/etc/passwd", "", "Europe", "\x00", "x" * 5000]
)
def test_what_is_no_zone_is_refused(zone: str) -> None:
    if not zone:
        assert made("current_time").run(zone=zone).endswith("(UTC)")
        return
    with pytest.raises(ValueError, match="no time zone"):
        made("current_time").run(zone=zone)


# --- reading the web


@asynccontextmanager
async def web_server(
    head: str, body: bytes = b"", *, endless: bytes = b""
) -> AsyncIterator[tuple[str, list[str]]]:
    heads: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(f"HTTP/1.1 {head}\r\nConnection: close\r\n\r\n".encode() + body)
        with contextlib.suppress(ConnectionError):
            while endless:
                writer.write(endless)
                await writer.drain()
            await writer.drain()
            writer.close()
            await writer.wait_closed()

    async with server(serve) as port:
        yield f"http://127.0.0.1:{port}/page", heads


async def test_a_page_is_read_as_text() -> None:
    head = "<head><title>News</title><style>p{}</style></head>"
    page = f"<html>{head}<body><script>steal()</script><h1>Big</h1><p>A &amp; B</p></body>"
    async with web_server("200 OK\r\nContent-Type: text/html; charset=utf-8", page.encode()) as (url, heads):
        assert await made("http_get").arun(url=url) == "News\nBig\nA & B"

    assert "User-Agent: crewai-runner" in heads[0]
    assert "cookie" not in heads[0].lower()


async def test_json_is_read_as_it_stands() -> None:
    async with web_server("200 OK\r\nContent-Type: application/json", b'{"a": 1}') as (url, _):
        assert await made("http_get").arun(url=url) == '{"a": 1}'


async def test_letters_are_read_in_their_charset() -> None:
    async with web_server(
        "200 OK\r\nContent-Type: text/plain; charset=latin-1", "grün".encode("latin-1")
    ) as (url, _):
        assert await made("http_get").arun(url=url) == "grün"


async def test_an_unknown_charset_is_read_as_well_as_can_be() -> None:
    async with web_server("200 OK\r\nContent-Type: text/plain; charset=klingon", b"plain") as (url, _):
        assert await made("http_get").arun(url=url) == "plain"


@pytest.mark.parametrize(
    ("head", "words"),
    [
        ("404 Not Found", "returned status 404"),
        ("500 Oops", "returned status 500"),
        ("200 OK\r\nContent-Type: image/png", "not text but image/png"),
        ("200 OK\r\nContent-Type: application/octet-stream", "not text"),
        ("200 OK\r\nContent-Type: text/plain\r\nContent-Encoding: gzip", "compressed"),
        ("302 Found\r\nLocation: /page", "could not be read"),
    ],
)
async def test_what_cannot_be_read_is_said(head: str, words: str) -> None:
    async with web_server(head) as (url, _):
        with pytest.raises(web.FetchFailed, match=words):
            await made("http_get").arun(url=url)


async def test_an_endless_document_is_read_up_to_the_bound() -> None:
    async with web_server("200 OK\r\nContent-Type: text/plain", endless=b"x" * 65536) as (url, _):
        text = await made("http_get").arun(url=url)

    assert text == "x" * web.MAX_TEXT_LENGTH + "\n[truncated: the document is longer]"


async def test_a_silent_server_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async def listen(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    monkeypatch.setattr(web, "TIMEOUT_SECONDS", 0.1)
    async with server(listen) as port:
        with pytest.raises(web.FetchFailed, match=r"did not respond|could not be read"):
            await made("http_get").arun(url=f"http://127.0.0.1:{port}/")


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/",
        "http://localhost/",
        "http://169.254.169.254/",
        "file:///etc/passwd",
        "http://[::1]/",
    ],
)
async def test_the_guard_stands_before_the_web(url: str) -> None:
    for egress in (PUBLIC_ONLY, None):
        with pytest.raises(UrlRefused):
            await made("http_get", egress=egress).arun(url=url)


async def test_a_redirect_does_not_lead_round_the_guard() -> None:
    async with web_server("302 Found\r\nLocation: http://169.254.169.254/latest/meta-data/") as (url, heads):
        with pytest.raises(UrlRefused, match="metadata"):
            await made("http_get").arun(url=url)

    assert len(heads) == 1


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("plain", "plain"),
        ("<p>one<p>two", "one\ntwo"),
        ("a<br>b<br/>c", "a\nb\nc"),
        ("<b>bold</b> and <i>thin</i>", "bold and thin"),
        ("<!-- hidden --><p>seen</p>", "seen"),
        ("seen<!-- never closed <p>hidden", "seen"),
        ("seen<script>never closed", "seen"),
        ("<SCRIPT>x</SCRIPT>seen", "seen"),
        ("<script>'<p>'</script>seen", "seen"),
        ("<!DOCTYPE html><ul><li>1</li><li>2</li></ul>", "1\n2"),
        ("1 &lt; 2 &#38; 3 > 2", "1 < 2 & 3 > 2"),
        ("  much \t space  ", "much space"),
        ("<", "<"),
        ("", ""),
    ],
)
def test_the_text_of_a_page(page: str, text: str) -> None:
    assert page_text(page) == text


@pytest.mark.parametrize(
    "piece", ["<", "<!--", "<a ", "<script>", "</", "&", "<p", "<!", "<svg><", "&#", "<a b='"]
)
def test_a_hostile_page_costs_no_more_than_a_plain_one(piece: str) -> None:
    began = time.process_time()

    page_text(piece * (web.MAX_BYTES // len(piece)))

    assert time.process_time() - began < 10


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_any_page_has_a_text(page: str) -> None:
    assert isinstance(page_text(page), str)
