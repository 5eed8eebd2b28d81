import sys
import warnings

from four_models.crew import FourModels

warnings.filterwarnings("ignore", category=SyntaxWarning, module="pysbd")


def run():
    inputs = {"text": "The sea is calm."}
    try:
        FourModels().crew().kickoff(inputs=inputs)
    except Exception as e:
        raise Exception(f"An error occurred while running the crew: {e}")
