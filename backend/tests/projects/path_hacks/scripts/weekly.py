"""Run as `python scripts/weekly.py`."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "src"))
sys.path.append(os.path.abspath("vendor"))

from numbers_team.crew import build_crew
from plain_table import format_table
from words_team.crew import summary_agent

print("Started in", os.getcwd())
crew = build_crew(summary_agent())

if __name__ == "__main__":
    output = crew.kickoff(inputs={"week": 34})
    print(format_table({"week": 34, "summary": output.raw}))
