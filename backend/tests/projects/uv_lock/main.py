from crew import TideTable


def run(topic="Brest"):
    TideTable().crew().kickoff(inputs={"topic": topic})


def run_for(topic):
    TideTable().crew().kickoff(inputs={"topic": topic})
