from datetime import datetime

from city_guide.crew import CityGuide


def run():
    inputs = {"topic": "Lisbon", "year": str(datetime.now().year)}
    CityGuide().crew().kickoff(inputs=inputs)


def train():
    CityGuide().crew().train(n_iterations=1, inputs={"topic": "Porto"})
