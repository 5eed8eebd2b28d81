#!/usr/bin/env python
import sys
from datetime import datetime

from newsletter.crew import Newsletter


def run():
    inputs = {"topic": "gardens", "current_year": str(datetime.now().year)}
    Newsletter().crew().kickoff(inputs=inputs)


def train():
    Newsletter().crew().train(n_iterations=int(sys.argv[1]), filename=sys.argv[2], inputs={"topic": "AI"})


def replay():
    Newsletter().crew().replay(task_id=sys.argv[1])


def test():
    Newsletter().crew().test(n_iterations=int(sys.argv[1]), eval_llm=sys.argv[2], inputs={"topic": "AI"})
