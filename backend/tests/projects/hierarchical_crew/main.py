#!/usr/bin/env python
from crew import Office


def run():
    """Plan an event."""
    return Office().crew().kickoff(inputs={"event": "a fair", "budget": 500})


if __name__ == "__main__":
    run()
