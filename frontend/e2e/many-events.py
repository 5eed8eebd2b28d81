"""Makes the story of a finished run long: its one use of a tool happens many times.

A crew needs minutes for ten thousand events on a busy machine, and its speed is not what is looked at. The
rows are the ones that the product wrote itself, copied and numbered anew in the product's own database.
"""

import json
import sqlite3
import sys
import tempfile
from pathlib import Path

TOOL = ("tool.started", "tool.completed")


def database_of(run_id: str) -> sqlite3.Connection:
    """The database of whichever product under test has the run."""
    for path in Path(tempfile.gettempdir()).glob("crewai-runner-e2e-*/data/crewai-runner.db"):
        database = sqlite3.connect(path, timeout=30)
        if database.execute("SELECT 1 FROM runs WHERE id = ?", (run_id,)).fetchone():
            return database
        database.close()
    raise SystemExit(f"No product under test has {run_id}.")


def lengthen(run_id: str, uses: int) -> int:
    database = database_of(run_id)
    columns = "seq, attempt, type, at, frame"
    rows = database.execute(
        f"SELECT {columns} FROM run_events WHERE run_id = ? ORDER BY seq", (run_id,)
    ).fetchall()
    first = next(index for index, row in enumerate(rows) if row[2] == TOOL[0])
    pair = [row for row in rows if row[2] in TOOL]
    copies = [with_id(row, f"use-{number}") for number in range(uses) for row in pair]
    told = rows[:first] + copies + [row for row in rows[first:] if row[2] not in TOOL]
    with database:
        database.execute("DELETE FROM run_events WHERE run_id = ?", (run_id,))
        database.executemany(
            f"INSERT INTO run_events (run_id, {columns}) VALUES (?, ?, ?, ?, ?, ?)",
            [(run_id, *numbered(row, seq)) for seq, row in enumerate(told, start=1)],
        )
        database.execute("UPDATE runs SET last_seq = ? WHERE id = ?", (len(told), run_id))
    database.close()
    return len(told)


def with_id(row: tuple, use_id: str) -> tuple:
    frame = json.loads(row[4])
    frame["data"]["toolCallId"] = use_id
    return (*row[:4], json.dumps(frame))


def numbered(row: tuple, seq: int) -> tuple:
    frame = json.loads(row[4]) | {"seq": seq}
    return (seq, *row[1:4], json.dumps(frame))


if __name__ == "__main__":
    print(lengthen(sys.argv[1], int(sys.argv[2])))
