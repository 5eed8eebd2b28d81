"""``python -m benchmarks [--quick] [--only NAME] [--setup NAME]``: run the benchmarks and print one table."""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from benchmarks import (
    api_requests,
    audit_log,
    crews,
    endurance,
    host_loss,
    idle,
    latency,
    lifecycle,
    queued,
    scale,
    sign_in,
    waiting,
    wide,
)
from benchmarks.bench import Bench, Benchmark
from benchmarks.machine import adopt_orphans, busy_seconds, cpu_seconds, reap_orphans
from benchmarks.table import SETUPS, Figures, join_rows, print_table
from tests.support.scripted_provider import ProviderProcess

BENCHMARKS: dict[str, Benchmark] = {
    "idle": idle.BENCHMARK,
    "crews": crews.BENCHMARK,
    "wide": wide.BENCHMARK,
    "api": api_requests.BENCHMARK,
    "latency": latency.BENCHMARK,
    "waiting": waiting.BENCHMARK,
    "lifecycle": lifecycle.BENCHMARK,
    "hosts": host_loss.BENCHMARK,
    "queued": queued.BENCHMARK,
    "scale": scale.BENCHMARK,
    "audit": audit_log.BENCHMARK,
    "sign-in": sign_in.BENCHMARK,
    "endurance": endurance.BENCHMARK,
}
QUICK_SETUPS = ["in-process", "two-hosts"]
MAX_SECONDS = 3600
"""After this time a benchmark is given up; the others continue."""


def main() -> None:
    """Run the selected benchmarks; with ``--strict``, exit with 1 if a goal is missed."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="fewer benchmarks, runs and setups; four minutes"
    )
    parser.add_argument(
        "--only", action="append", choices=BENCHMARKS, help="run one benchmark; may be repeated"
    )
    parser.add_argument("--setup", action="append", choices=SETUPS, help="measure one setup; may be repeated")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument("--strict", action="store_true", help="exit with 1 when a goal is missed")
    options = parser.parse_args()
    setups = options.setup or (QUICK_SETUPS if options.quick else list(SETUPS))
    adopt_orphans()
    runner = BenchmarkRunner(_select(options), setups, options.quick)
    reference, product = asyncio.run(runner.run())
    rows = join_rows(reference, product)
    print()
    print_table(rows, setups)
    if options.json:
        options.json.write_text(json.dumps({"reference": reference, "product": product}, indent=1))
    missed = [f"{row.type.measure} ({SETUPS[setup]})" for row in rows for setup in row.missed()]
    print(f"\n{len(missed)} goals missed" + "".join(f"\n- {one}" for one in missed))
    if runner.failed:
        print(
            f"\n{len(runner.failed)} benchmarks without figures"
            + "".join(f"\n- {one}" for one in runner.failed)
        )
    if options.strict and (missed or runner.failed):
        sys.exit(1)


def _select(options: argparse.Namespace) -> dict[str, Benchmark]:
    names = options.only or [
        name for name, one in BENCHMARKS.items() if not (options.quick and one.full_only)
    ]
    return {name: BENCHMARKS[name] for name in names}


class BenchmarkRunner:
    """Runs benchmarks one after the other; one that raises or takes too long has no figures."""

    def __init__(self, benchmarks: dict[str, Benchmark], setups: list[str], quick: bool) -> None:
        self._benchmarks, self._setups, self._quick = benchmarks, setups, quick
        self.failed: list[str] = []

    async def run(self) -> tuple[Figures, dict[str, Figures]]:
        """Return the figures of the references and those of the product by setup."""
        reference: Figures = {}
        product: dict[str, Figures] = {setup: {} for setup in self._setups}
        with (
            tempfile.TemporaryDirectory(prefix="bench-") as folder,
            ProviderProcess() as provider,
            Bench(provider, Path(folder), self._quick) as bench,
        ):
            for name, one in self._benchmarks.items():
                if one.reference:
                    reference |= await self._measure(f"{name}, reference", one.reference(bench))
            for setup in self._setups:
                figures = product[setup]
                figures |= await self._measure_shared(bench, setup)
                for name, one in self._benchmarks.items():
                    if one.on_setup:
                        figures |= await self._measure(f"{name}, {setup}", one.on_setup(bench, setup))
                figures |= crews.derive(reference, figures)
        return reference, product

    async def _measure_shared(self, bench: Bench, setup: str) -> Figures:
        """Run the benchmarks that share one warm product."""
        measurements = {name: one.on_product for name, one in self._benchmarks.items() if one.on_product}
        figures: Figures = {}
        if not measurements:
            return figures
        with bench.product(setup) as product:
            await product.connect(bench.provider.base_url)
            for name, measure in measurements.items():
                figures |= await self._measure(f"{name}, {setup}", measure(bench, product))
        return figures

    async def _measure(self, title: str, measurement: Coroutine[Any, Any, Figures]) -> Figures:
        """Say how long it took and how much of the machine other processes used meanwhile."""
        start, busy, own = time.monotonic(), busy_seconds(), cpu_seconds(os.getpid())
        figures: Figures = {}
        try:
            async with asyncio.timeout(MAX_SECONDS):
                figures = await measurement
        except Exception:  # noqa: BLE001 - hours of other benchmarks must not be lost
            traceback.print_exc()
            self.failed.append(title)
        seconds = time.monotonic() - start
        reap_orphans()
        others = busy_seconds() - busy - (cpu_seconds(os.getpid()) - own)
        share = max(0.0, others) / seconds / (os.cpu_count() or 1)
        print(f"{title}: {seconds:.0f} s, others' CPU {share:.0%}", file=sys.stderr, flush=True)
        return figures


if __name__ == "__main__":
    main()
