"""``python -m benchmarks [--quick] [--only crews]``: measure, and print one table."""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from benchmarks import crews, latency, life, web
from benchmarks.bench import Bench, Family
from benchmarks.table import Row, print_table
from tests.support.scripted_provider import ProviderProcess

FAMILIES: dict[str, Family] = {
    "crews": crews.family,
    "latency": latency.family,
    "web": web.family,
    "life": life.family,
}


def main() -> None:
    """Exit with 1 when a goal that was measured is missed and ``--strict`` is set."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few runs and rows; about three minutes")
    parser.add_argument(
        "--only", action="append", choices=FAMILIES, help="one family of measures; may be repeated"
    )
    parser.add_argument("--json", type=Path, help="also write the rows to this file")
    parser.add_argument("--strict", action="store_true", help="exit with 1 when a goal is missed")
    options = parser.parse_args()
    rows = asyncio.run(measure(options.only or list(FAMILIES), options.quick))
    print(f"\nload average {os.getloadavg()[0]:.1f} at the end, {os.cpu_count()} cores\n")
    print_table(rows)
    if options.json:
        options.json.write_text(json.dumps([{**asdict(row), "ratio": row.ratio} for row in rows], indent=1))
    if options.strict and any(row.verdict() == "NO" for row in rows):
        sys.exit(1)


async def measure(names: list[str], quick: bool) -> list[Row]:
    """The rows of these families, all against one scripted provider."""
    rows: list[Row] = []
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        ProviderProcess() as provider,
        Bench(provider, Path(folder), quick) as bench,
    ):
        for name in names:
            begun = time.monotonic()
            rows += await FAMILIES[name](bench)
            print(f"{name}: {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
    return rows


if __name__ == "__main__":
    main()
