"""``python -m benchmarks [--quick] [--only NAME] [--setup NAME]``: run the benchmarks and print one table."""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from benchmarks import (
    api_requests,
    crews,
    endurance,
    host_loss,
    latency,
    lifecycle,
    queued,
    scale,
    waiting,
    wide,
)
from benchmarks.bench import Bench, Benchmark
from benchmarks.machine import busy_seconds, cpu_seconds
from benchmarks.table import SETUPS, Figures, join_rows, print_table
from tests.support.scripted_provider import ProviderProcess

BENCHMARKS: dict[str, Benchmark] = {
    "crews": crews.BENCHMARK,
    "wide": wide.BENCHMARK,
    "api": api_requests.BENCHMARK,
    "latency": latency.BENCHMARK,
    "waiting": waiting.BENCHMARK,
    "lifecycle": lifecycle.BENCHMARK,
    "hosts": host_loss.BENCHMARK,
    "queued": queued.BENCHMARK,
    "scale": scale.BENCHMARK,
    "endurance": endurance.BENCHMARK,
}
QUICK_SETUPS = ["in-process", "two-hosts"]


def main() -> None:
    """Run the selected benchmarks; with ``--strict``, exit with 1 if a goal is missed."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer runs and setups; about eight minutes")
    parser.add_argument(
        "--only", action="append", choices=BENCHMARKS, help="run one benchmark; may be repeated"
    )
    parser.add_argument("--setup", action="append", choices=SETUPS, help="measure one setup; may be repeated")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument("--strict", action="store_true", help="exit with 1 when a goal is missed")
    options = parser.parse_args()
    setups = options.setup or (QUICK_SETUPS if options.quick else list(SETUPS))
    reference, product = asyncio.run(run_benchmarks(_select(options), setups, options.quick))
    rows = join_rows(reference, product)
    print()
    print_table(rows, setups)
    if options.json:
        options.json.write_text(json.dumps({"reference": reference, "product": product}, indent=1))
    missed = [f"{row.type.measure} ({SETUPS[setup]})" for row in rows for setup in row.missed()]
    print(f"\n{len(missed)} goals missed" + "".join(f"\n- {one}" for one in missed))
    if options.strict and missed:
        sys.exit(1)


def _select(options: argparse.Namespace) -> dict[str, Benchmark]:
    names = options.only or [
        name for name, one in BENCHMARKS.items() if not (options.quick and one.full_only)
    ]
    return {name: BENCHMARKS[name] for name in names}


async def run_benchmarks(
    benchmarks: dict[str, Benchmark], setups: list[str], quick: bool
) -> tuple[Figures, dict[str, Figures]]:
    """Return the figures of the references and those of the product by setup."""
    reference: Figures = {}
    product: dict[str, Figures] = {setup: {} for setup in setups}
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        ProviderProcess() as provider,
        Bench(provider, Path(folder), quick) as bench,
    ):
        for name, one in benchmarks.items():
            if one.reference:
                reference |= await _timed(f"{name}, reference", one.reference(bench))
        for setup in setups:
            figures = product[setup]
            figures |= await _measure_shared(bench, benchmarks, setup)
            for name, one in benchmarks.items():
                if one.on_setup:
                    figures |= await _timed(f"{name}, {setup}", one.on_setup(bench, setup))
            figures |= crews.derive(reference, figures)
    return reference, product


async def _measure_shared(bench: Bench, benchmarks: dict[str, Benchmark], setup: str) -> Figures:
    """Run the benchmarks that share one warm product."""
    measurements = {name: one.on_product for name, one in benchmarks.items() if one.on_product}
    figures: Figures = {}
    if not measurements:
        return figures
    with bench.product(setup) as product:
        await product.connect(bench.provider.base_url)
        for name, measure in measurements.items():
            figures |= await _timed(f"{name}, {setup}", measure(bench, product))
    return figures


async def _timed(title: str, measurement: Coroutine[Any, Any, Figures]) -> Figures:
    """Say how long it took and how much of the machine other processes used meanwhile."""
    start, busy, own = time.monotonic(), busy_seconds(), cpu_seconds(os.getpid())
    figures = await measurement
    seconds = time.monotonic() - start
    others = busy_seconds() - busy - (cpu_seconds(os.getpid()) - own)
    share = max(0.0, others) / seconds / (os.cpu_count() or 1)
    print(f"{title}: {seconds:.0f} s, others' CPU {share:.0%}", file=sys.stderr, flush=True)
    return figures


if __name__ == "__main__":
    main()
