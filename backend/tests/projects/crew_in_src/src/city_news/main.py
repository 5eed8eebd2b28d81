from datetime import datetime

from city_news.crew import CityNews


def run():
    inputs = {"topic": "Lisbon", "year": str(datetime.now().year)}
    CityNews().crew().kickoff(inputs=inputs)


def train():
    CityNews().crew().train(n_iterations=1, inputs={"topic": "Porto"})
