"""``python -m benchmarks [--quick] [--only crews]``: run the benchmarks and print one table."""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from benchmarks import api_requests, crews, latency, lifecycle
from benchmarks.bench import Bench, Benchmark
from benchmarks.table import Row, print_table
from tests.support.scripted_provider import ProviderProcess

BENCHMARKS: dict[str, Benchmark] = {
    "crews": crews.measure,
    "latency": latency.measure,
    "api": api_requests.measure,
    "lifecycle": lifecycle.measure,
}


def main() -> None:
    """Run the selected benchmarks; with ``--strict``, exit with 1 if a goal is missed."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer runs and rows; about three minutes")
    parser.add_argument(
        "--only", action="append", choices=BENCHMARKS, help="run one benchmark; may be repeated"
    )
    parser.add_argument("--json", type=Path, help="also write the rows to this file")
    parser.add_argument("--strict", action="store_true", help="exit with 1 when a goal is missed")
    options = parser.parse_args()
    rows = asyncio.run(run_benchmarks(options.only or list(BENCHMARKS), options.quick))
    print(f"\nload average {os.getloadavg()[0]:.1f} at the end, {os.cpu_count()} cores\n")
    print_table(rows)
    if options.json:
        options.json.write_text(json.dumps([{**asdict(row), "ratio": row.ratio} for row in rows], indent=1))
    if options.strict and any(row.verdict() == "NO" for row in rows):
        sys.exit(1)


async def run_benchmarks(names: list[str], quick: bool) -> list[Row]:
    """Run these benchmarks against one scripted provider and return their rows."""
    rows: list[Row] = []
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        ProviderProcess() as provider,
        Bench(provider, Path(folder), quick) as bench,
    ):
        for name in names:
            start = time.monotonic()
            rows += await BENCHMARKS[name](bench)
            print(f"{name}: {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)
    return rows


if __name__ == "__main__":
    main()
