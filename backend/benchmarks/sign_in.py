"""Whether the time of a refused sign-in reveals which addresses have an account."""

import time
from http import HTTPStatus
from itertools import count

from benchmarks.bench import Bench, Benchmark
from benchmarks.load import HttpConnection, percentile
from benchmarks.product import Product
from benchmarks.references.token import TOKEN
from benchmarks.table import Figures

ROUNDS = 60
KNOWN = "known@example.org"
PASSWORD = "correct horse battery staple"


async def measure_setup(bench: Bench, setup: str) -> Figures:
    """Compare the medians of wrong passwords for a known address and for unknown ones, by turns."""
    if setup == "two-hosts":
        return {}  # as in process: no crew runs
    with bench.product(setup, AUTH_FAILURES_PER_MINUTE="10000") as product:
        await product.ready()
        person = {"name": "Known", "email": KNOWN, "password": PASSWORD, "role": "viewer"}
        await product.call("POST", "/api/v1/people", person)
        known, unknown = await _guess(product, 10 if bench.quick else ROUNDS)
    difference = 100 * (percentile(known, 50) / percentile(unknown, 50) - 1)
    return {"sign-in": 1000 * percentile(unknown, 50), "sign-in-difference": abs(difference)}


async def _guess(product: Product, rounds: int) -> tuple[list[float], list[float]]:
    """Return the seconds of guesses; each round begins with the other kind of address."""
    numbers, seconds = count(), {True: list[float](), False: list[float]()}
    async with HttpConnection(product.port, TOKEN) as http:
        for number in range(rounds):
            for is_known in (number % 2 == 0, number % 2 == 1):
                email = KNOWN if is_known else f"unknown{next(numbers)}@example.org"
                seconds[is_known].append(await _send_guess(http, email))
    return seconds[True], seconds[False]


async def _send_guess(http: HttpConnection, email: str) -> float:
    started = time.monotonic()
    status, body = await http.request(
        "POST", "/api/v1/sign-in", {"email": email, "password": "wrong password"}
    )
    if status != HTTPStatus.UNAUTHORIZED:
        raise RuntimeError(f"A guess was answered with {status}: {body[:200]!r}")
    return time.monotonic() - started


BENCHMARK = Benchmark(on_setup=measure_setup, full_only=True)
