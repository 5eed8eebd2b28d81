"""Repeat the tool call of a finished run many times in the database of the product under test.

A real crew needs minutes to emit ten thousand events. The rows are those the product wrote, copied and renumbered.

Usage: many-events.py RUN_ID TOOL_CALLS; prints the resulting number of events.
"""

import json
import sqlite3
import sys
import tempfile
from pathlib import Path

TOOL_EVENTS = ("tool.started", "tool.completed")


def open_database(run_id: str) -> sqlite3.Connection:
    """Open the database that contains the run; several products may be under test."""
    for path in Path(tempfile.gettempdir()).glob("crewai-runner-e2e-*/data/crewai-runner.db"):
        database = sqlite3.connect(path, timeout=30)
        if database.execute("SELECT 1 FROM runs WHERE id = ?", (run_id,)).fetchone():
            return database
        database.close()
    raise SystemExit(f"No product under test has run {run_id}.")


def repeat_tool_call(run_id: str, tool_calls: int) -> int:
    database = open_database(run_id)
    columns = "seq, attempt, type, at, frame"
    rows = database.execute(
        f"SELECT {columns} FROM run_events WHERE run_id = ? ORDER BY seq", (run_id,)
    ).fetchall()
    first = next(index for index, row in enumerate(rows) if row[2] == TOOL_EVENTS[0])
    pair = [row for row in rows if row[2] in TOOL_EVENTS]
    copies = [with_tool_call_id(row, f"call-{number}") for number in range(tool_calls) for row in pair]
    events = rows[:first] + copies + [row for row in rows[first:] if row[2] not in TOOL_EVENTS]
    with database:
        database.execute("DELETE FROM run_events WHERE run_id = ?", (run_id,))
        database.executemany(
            f"INSERT INTO run_events (run_id, {columns}) VALUES (?, ?, ?, ?, ?, ?)",
            [(run_id, *with_seq(row, seq)) for seq, row in enumerate(events, start=1)],
        )
        database.execute("UPDATE runs SET last_seq = ? WHERE id = ?", (len(events), run_id))
    database.close()
    return len(events)


def with_tool_call_id(row: tuple, tool_call_id: str) -> tuple:
    frame = json.loads(row[4])
    frame["data"]["toolCallId"] = tool_call_id
    return (*row[:4], json.dumps(frame))


def with_seq(row: tuple, seq: int) -> tuple:
    frame = json.loads(row[4]) | {"seq": seq}
    return (seq, *row[1:4], json.dumps(frame))


if __name__ == "__main__":
    print(repeat_tool_call(sys.argv[1], int(sys.argv[2])))
